/** @file Affine maps, GELU and layer norm of TensorFlow's operations. */
import { add, addBias, matMul, mean, mul, plus, square, sub, sumRows, times, transpose } from "./arithmetic.ts";
import { type Handle, last, type Scope, type TensorflowKernel } from "./scope.ts";

const affine: TensorflowKernel = (t, { x, kernel, bias }) =>
  addBias(t, last(matMul(t, t.input(x), t.input(kernel))), t.input(bias));

const affineWithResidual: TensorflowKernel = (t, inputs, attributes) =>
  add(t, last(affine(t, inputs, attributes) as Handle), t.input(inputs.residual));

// GELU's tanh form is x·σ(v) with v = 2√(2/π)·(x + 0.044715 x³), for ½(1 + tanh(v/2)) = σ(v): two arrays less.
const steepness = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

const geluOf = (t: Scope, x: Handle): Handle => mul(t, x, last(t.op("Sigmoid", [last(gateOf(t, x))])));

const gateOf = (t: Scope, x: Handle): Handle =>
  mul(t, x, last(plus(t, last(times(t, last(square(t, x)), steepness * cubic)), steepness)));

/** `σ + σ (1 − σ) x v′`, where `x v′ = 3v − 2 · steepness · x`. */
function geluSlopeOf(t: Scope, x: Handle, v: Handle, sigmoid: Handle): Handle {
  const inner = sub(t, last(times(t, last(v), 3)), last(times(t, x, 2 * steepness)));
  return add(t, last(sigmoid), last(t.op("SigmoidGrad", [sigmoid, last(inner)])));
}

const affineGelu: TensorflowKernel = (t, inputs, attributes) => {
  const before = affine(t, inputs, attributes) as Handle; // [N, O]
  const v = gateOf(t, before);
  const sigmoid = t.op("Sigmoid", [v]);
  return [mul(t, before, sigmoid), geluSlopeOf(t, before, v, sigmoid)];
};

const geluGrad: TensorflowKernel = (t, { dy, x }) => {
  const v = gateOf(t, t.input(x));
  return mul(t, t.input(dy), last(geluSlopeOf(t, t.input(x), v, t.op("Sigmoid", [v]))));
};

/** `slope`: of the activation that y went through, if any. */
const affineGrad: TensorflowKernel = (t, { dy, x, kernel, slope }) => {
  const given = t.input(dy);
  const back = slope ? mul(t, given, t.input(slope)) : given; // [N, O]
  return [matMul(t, back, t.input(kernel), false, true), rowProduct(t, t.input(x), back), sumRows(t, back)]; // [N, I], [I, O], [O]
};

/** `aᵀ b`; the matrix product is slower where a is the wider, by half, and turning the result round costs next to nothing. */
function rowProduct(t: Scope, a: Handle, b: Handle): Handle {
  if (a.shape[1]! <= b.shape[1]!) return matMul(t, a, b, true, false);
  return transpose(t, last(matMul(t, b, a, true, false)), [1, 0]);
}

/** `(x − mean) / √(variance + ε)` and `1 / √(variance + ε)`. */
function standardise(t: Scope, x: Handle, epsilon: number): { standard: Handle; inverse: Handle } {
  const centred = sub(t, x, last(mean(t, x))); // [N, E]
  const variance = mean(t, last(square(t, centred))); // [N, 1]
  const inverse = t.op("Rsqrt", [last(plus(t, last(variance), epsilon))]); // [N, 1]
  return { standard: mul(t, last(centred), inverse), inverse };
}

const layerNorm: TensorflowKernel = (t, { x, gain, bias }, { epsilon }) => {
  const { standard } = standardise(t, t.input(x), epsilon as number);
  return addBias(t, last(mul(t, last(standard), t.input(gain))), t.input(bias));
};

const layerNormGrad: TensorflowKernel = (t, { dy, x, gain }, { epsilon }) => {
  const { standard, inverse } = standardise(t, t.input(x), epsilon as number);
  const given = t.input(dy);
  const dGain = sumRows(t, last(mul(t, given, standard))); // [E]
  const scaled = mul(t, given, t.input(gain)); // [N, E]
  const share = mean(t, last(mul(t, scaled, standard))); // [N, 1]
  const along = mul(t, last(standard), last(share)); // [N, E]
  const across = mean(t, scaled); // [N, 1]
  const centred = sub(t, last(scaled), last(across)); // [N, E]
  const dx = mul(t, inverse, last(sub(t, last(centred), last(along))));
  return [dx, dGain, sumRows(t, given)];
};

const rmsInverse = (t: Scope, x: Handle, epsilon: number): Handle =>
  t.op("Rsqrt", [plus(t, mean(t, square(t, x)), epsilon)]); // [N, 1]

const rmsNorm: TensorflowKernel = (t, { x, gain }, { epsilon }) => {
  const given = t.input(x);
  return mul(t, mul(t, given, rmsInverse(t, given, epsilon as number)), t.input(gain));
};

const rmsNormGrad: TensorflowKernel = (t, { dy, x, gain }, { epsilon }) => {
  const [given, values] = [t.input(dy), t.input(x)];
  const inverse = rmsInverse(t, values, epsilon as number);
  const standard = mul(t, values, inverse); // [N, E]
  const scaled = mul(t, given, t.input(gain)); // [N, E]
  const dx = mul(t, inverse, sub(t, scaled, mul(t, standard, mean(t, mul(t, scaled, standard)))));
  return [dx, sumRows(t, mul(t, given, standard))];
};

export const layerKernels: Readonly<Record<string, TensorflowKernel>> = {
  SoftboxLinear: affine,
  SoftboxLinearResidual: affineWithResidual,
  SoftboxLinearGelu: affineGelu,
  SoftboxLinearGrad: affineGrad,
  SoftboxGelu: (t, { x }) => geluOf(t, t.input(x)),
  SoftboxGeluGrad: geluGrad,
  SoftboxLayerNorm: layerNorm,
  SoftboxLayerNormGrad: layerNormGrad,
  SoftboxRmsNorm: rmsNorm,
  SoftboxRmsNormGrad: rmsNormGrad,
};
