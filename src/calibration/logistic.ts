/** @file Logistic regression of a few features by Newton's method, with a whisper of a ridge, so that it ends for any data. */

export interface LogisticData {
  /** One column a feature, `[N]` each. */
  readonly features: readonly Float64Array[];
  /** Soft labels in [0, 1], `[N]`. */
  readonly targets: Float64Array;
  /** Coefficients to start from; where data say nothing they stay. One a feature. */
  readonly start: readonly number[];
}

/** Pulls to the start, so small that it decides only where data do not. */
const ridge = 1e-6;
const maximumSteps = 100;

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** `log(1 + exp x)`. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** `Σ softplus(s) − t s`, `s = Σ_k w_k x_k`, plus the ridge. */
export function logisticLoss({ features, targets, start }: LogisticData, coefficients: readonly number[]): number {
  let sum = 0;
  for (let n = 0; n < targets.length; n++) {
    let score = 0;
    for (let k = 0; k < features.length; k++) score += coefficients[k]! * features[k]![n]!;
    sum += softplus(score) - targets[n]! * score;
  }
  return coefficients.reduce((total, w, k) => total + (ridge / 2) * (w - start[k]!) ** 2, sum);
}

/** Coefficients of least loss. */
export function fitLogistic(data: LogisticData): number[] {
  let coefficients = [...data.start];
  let loss = logisticLoss(data, coefficients);
  for (let count = 0; count < maximumSteps; count++) {
    const { gradient, hessian } = derivatives(data, coefficients);
    const step = solve(hessian, gradient);
    const slope = step.reduce((sum, s, k) => sum + s * gradient[k]!, 0);
    if (!(slope > 1e-13 * Math.max(1, loss))) break;
    let moved = false;
    for (let length = 1; length > 1e-9 && !moved; length /= 2) {
      const next = coefficients.map((w, k) => w - length * step[k]!);
      const nextLoss = logisticLoss(data, next);
      if (nextLoss > loss - 1e-4 * length * slope) continue;
      [coefficients, loss, moved] = [next, nextLoss, true];
    }
    if (!moved) break;
  }
  return coefficients;
}

function derivatives({ features, targets, start }: LogisticData, coefficients: readonly number[]) {
  const K = features.length;
  const gradient = coefficients.map((w, k) => ridge * (w - start[k]!));
  const hessian = Array.from({ length: K }, (_, i) => Array.from({ length: K }, (_, j) => (i === j ? ridge : 0)));
  for (let n = 0; n < targets.length; n++) {
    let score = 0;
    for (let k = 0; k < K; k++) score += coefficients[k]! * features[k]![n]!;
    const p = sigmoid(score);
    for (let i = 0; i < K; i++) {
      gradient[i]! += (p - targets[n]!) * features[i]![n]!;
      for (let j = 0; j < K; j++) hessian[i]![j]! += p * (1 - p) * features[i]![n]! * features[j]![n]!;
    }
  }
  return { gradient, hessian };
}

/** Solves a small positive definite system by Gaussian elimination. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const factor = rows[j]![i]! / rows[i]![i]!;
      for (let k = i; k <= size; k++) rows[j]![k]! -= factor * rows[i]![k]!;
    }
  const x = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let sum = rows[i]![size]!;
    for (let k = i + 1; k < size; k++) sum -= rows[i]![k]! * x[k]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}
