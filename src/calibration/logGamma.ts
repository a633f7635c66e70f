/** @file `log Γ(x)` for x > 0: Stirling's series after shifting x above 10 (Abramowitz & Stegun 6.1.41); relative error about 1e-14. */

const coefficients = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

export function logGamma(x: number): number {
  let [shift, y] = [0, x];
  for (; y < 10; y++) shift -= Math.log(y);
  const inverse = 1 / y;
  let power = inverse;
  let series = 0;
  for (const coefficient of coefficients) {
    series += coefficient * power;
    power *= inverse * inverse;
  }
  return shift + (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series;
}
