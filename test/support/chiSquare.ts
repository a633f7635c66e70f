/** @file Pearson's chi-square test: how likely counts as far from expectation as these are. */

/** `ln Γ(x)`, x > 0 (Lanczos 1964, g = 5, in the form of Press et al., Numerical Recipes, 6.1). */
function logGamma(x: number): number {
  const coefficients = [
    76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
    -0.5395239384953e-5,
  ];
  const series = coefficients.reduce((sum, c, i) => sum + c / (x + 1 + i), 1.000000000190015);
  return (x + 0.5) * Math.log(x + 5.5) - (x + 5.5) + Math.log((2.5066282746310007 * series) / x);
}

/** `P(χ² > x)` for `degrees` degrees of freedom: the upper regularised gamma function, by series or continued fraction. */
export function chiSquareTail(x: number, degrees: number): number {
  const [a, z] = [degrees / 2, x / 2];
  if (z <= 0) return 1;
  const front = Math.exp(-z + a * Math.log(z) - logGamma(a));
  if (z < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 10_000 && term > sum * 1e-15; n++) {
      term *= z / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  let fraction = 0; // z + 1 − a − 1(1−a)/(z + 3 − a − …), from the far end
  for (let n = 500; n >= 1; n--) fraction = (n * (n - a)) / (z + 2 * n + 1 - a - fraction);
  return front / (z + 1 - a - fraction);
}

/**
 * The p-value of `counts` under `probabilities`. Cells with less than 5 expected counts are thrown together, the usual rule.
 *
 * @returns 0 if something impossible was counted.
 */
export function chiSquareTest(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((a, b) => a + b, 0);
  let [statistic, cells] = [0, 0];
  const rest = { count: 0, expected: 0 };
  const add = (count: number, expected: number): void => {
    statistic += (count - expected) ** 2 / expected;
    cells++;
  };
  for (let i = 0; i < counts.length; i++) {
    const expected = total * probabilities[i]!;
    if (expected === 0 && counts[i]! > 0) return 0;
    if (expected >= 5) add(counts[i]!, expected);
    else {
      rest.count += counts[i]!;
      rest.expected += expected;
    }
  }
  if (rest.expected > 0.5) add(rest.count, rest.expected);
  return cells < 2 ? 1 : chiSquareTail(statistic, cells - 1);
}
