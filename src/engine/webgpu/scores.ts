/** @file WGSL for what becomes of a score before it is summed: `f` of `ops/linearLogSumExp.ts`, and its slope. */

/** Numbers of `ops/linearLogSumExp.ts`, `forms`. */
const forms = { sigsoftmax: 1, sigmoid: 2 };

export const isSigmoid = (form: number): boolean => form === forms.sigmoid;

/**
 * `tanhOf`, `sigmoidOf` and `softplusOf` without infinities on the way. A number that is not one fails every comparison, so that each gives it
 * back, where `clamp` would hide it.
 */
export const smoothFunctions = `
fn tanhOf(x: f32) -> f32 {
  let size = abs(x);
  if (size > 15.0) { return sign(x); }
  let square = x * x;
  if (size < 0.125) { return x * (1.0 - square * (0.33333333 - square * (0.13333333 - square * 0.05396825))); }
  let tail = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
  return select(tail, -tail, x < 0.0);
}
fn sigmoidOf(x: f32) -> f32 {
  let tail = exp(-abs(x));
  return select(1.0, tail, x < 0.0) / (1.0 + tail);
}
fn softplusOf(x: f32) -> f32 { return select(0.0, x, x > 0.0) + log(1.0 + exp(-abs(x))); }`;

/**
 * `cappedOf(z)`, a score within its cap, `formedOf(y)`, what is summed, of that, and `slopeOf(y)`, the slope of both: of the cap
 * `1 − (y/c)²`, of sigsoftmax `2 − σ(y)`. The cap is `given.softcap`.
 */
export const scoreForm = (form: number, isCapped: boolean): string => `${smoothFunctions}
fn cappedOf(z: f32) -> f32 { return ${isCapped ? "given.softcap * tanhOf(z / given.softcap)" : "z"}; }
fn formedOf(y: f32) -> f32 { return ${form === forms.sigsoftmax ? "y - softplusOf(-y)" : "y"}; }
fn slopeOf(y: f32) -> f32 {
  var slope = 1.0;
  ${isCapped ? "slope *= 1.0 - (y / given.softcap) * (y / given.softcap);" : ""}
  ${form === forms.sigsoftmax ? "slope *= 2.0 - sigmoidOf(y);" : ""}
  return slope;
}`;
