/**
 * @file The gradient of the log-sum-exp over the vocabulary: a block of the vocabulary at a time, scores are computed again, become gradients
 * on their way out of the product, and are multiplied with table and hidden states. No more than `scoresAtOnce` exist.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { ScoreAttributes } from "../ops/linearLogSumExp.ts";
import { columnSumsOf, runColumnSums } from "./columnSums.ts";
import type { WebgpuBackend } from "./device.ts";
import { type Ending, product, productInto, tileSide } from "./product.ts";
import { eachElement, elementThreads, groupsOf, type Program, run, type Stretch, variants } from "./program.ts";
import { isSigmoid, scoreForm } from "./scores.ts";
import { areWhole, newFloats, type Tensors, type WebgpuKernel, zeros } from "./tensors.ts";

/** Scores that exist at once: 64 MB. */
const scoresAtOnce = 2 ** 24;

/** What a row's scores are turned into gradients with, side by side: `[dTarget, dLogSumExp, dMean / V, logSumExp]`. */
const rowsProgram = variants(
  (withMean: boolean): Program => ({
    name: "linearLogSumExpRows",
    reads: { dTarget: "f32", dLogSumExp: "f32", logSumExp: "f32", ...(withMean && { dMean: "f32" }) },
    writes: { rows: "f32" },
    numbers: { size: "u32", V: "u32" },
    code: eachElement(`
    rows[4u * i] = dTarget[i];
    rows[4u * i + 1u] = dLogSumExp[i];
    rows[4u * i + 2u] = ${withMean ? "dMean[i] / f32(given.V)" : "0.0"};
    rows[4u * i + 3u] = logSumExp[i];`),
  }),
);

/** Some rows of a table. */
interface Block {
  readonly start: number;
  readonly count: number;
}

/** V rows in blocks of about `most`, each but the last of whole tiles. */
function blocksOf(V: number, most: number): Block[] {
  const size = tileSide * Math.max(1, Math.floor(most / tileSide));
  const starts = Array.from({ length: Math.ceil(V / size) }, (_, i) => i * size);
  return starts.map((start) => ({ start, count: Math.min(size, V - start) }));
}

/** A block of a tensor of E numbers a row. */
const rowsOf = (tensor: TensorInfo, E: number, { start, count }: Block): Stretch => ({
  tensor,
  start: start * E,
  count: count * E,
});

const endings = new Map<string, Ending>();

/** `dz = (∂LSE/∂f · dLogSumExp + dMean / V + [v = target] dTarget) · f′(z)`, where `∂LSE/∂f` is the softmax, or each sigmoid. */
function gradientEnding(isBiased: boolean, form: number, isCapped: boolean): Ending {
  const key = `${isBiased} ${form} ${isCapped}`;
  const known = endings.get(key);
  if (known) return known;
  const ending: Ending = {
    name: "linearLogSumExpGrad",
    reads: { ...(isBiased && { bias: "f32" }), targets: "i32", rows: "f32" },
    writes: { dScores: "f32" },
    numbers: { start: "u32", softcap: "f32" },
    code: `${scoreForm(form, isCapped)}
fn finish(row: u32, column: u32, at: u32, sum: f32) {
  let y = cappedOf(sum${isBiased ? " + bias[given.start + column]" : ""});
  let weight = ${isSigmoid(form) ? "sigmoidOf(y)" : "exp(formedOf(y) - rows[4u * row + 3u])"};
  var gradient = weight * rows[4u * row + 1u] + rows[4u * row + 2u];
  if (u32(targets[row]) == given.start + column) { gradient += rows[4u * row]; }
  dScores[at] = gradient * slopeOf(y);
}`,
  };
  endings.set(key, ending);
  return ending;
}

const biasSums = columnSumsOf("linearLogSumExpBias", { dScores: "f32" }, { dBias: "dScores[i]" });

function packRows(backend: WebgpuBackend, { dTarget, dLogSumExp, dMean, logSumExp }: Tensors, N: number, V: number) {
  const rows = newFloats(backend, [N, 4]);
  const bound = { dTarget: dTarget!, dLogSumExp: dLogSumExp!, logSumExp: logSumExp!, ...(dMean && { dMean }), rows };
  const groups = groupsOf(backend, Math.ceil(N / elementThreads));
  run(backend, rowsProgram(dMean !== undefined), bound, { size: N, V }, groups);
  return rows;
}

export const linearLogSumExpGrad: WebgpuKernel = (backend, inputs, attributes) => {
  const { form, softcap } = attributes as unknown as ScoreAttributes;
  const { hidden, weight, bias, targets } = inputs as Record<"hidden" | "weight" | "targets", TensorInfo> & Tensors;
  const [N, E] = hidden.shape as [number, number];
  const V = weight.shape[0]!;
  if (N === 0) return [[0, E], [V, E], ...(bias ? [[V]] : [])].map((shape) => zeros(backend, shape));
  if (!areWhole(backend, Object.values(inputs))) return undefined;
  const rows = packRows(backend, inputs, N, V);
  const [dHidden, dWeight] = [newFloats(backend, [N, E]), newFloats(backend, [V, E])];
  const dBias = bias ? newFloats(backend, [V]) : undefined;
  const ending = gradientEnding(bias !== undefined, form, softcap > 0);
  const onBlock = (block: Block): void => {
    const { start, count } = block;
    const dScores = newFloats(backend, [N, count]);
    const table = rowsOf(weight, E, block);
    const scores = { a: hidden, b: table, M: N, N: count, K: E, transposeB: true };
    productInto(backend, scores, ending, { ...(bias && { bias }), targets, rows, dScores }, { start, softcap });
    product(backend, { a: dScores, b: table, M: N, N: E, K: count }, dHidden, start > 0);
    product(backend, { a: dScores, b: hidden, M: count, N: E, K: N, transposeA: true }, rowsOf(dWeight, E, block));
    if (dBias) runColumnSums(backend, biasSums, { dScores, dBias: rowsOf(dBias, 1, block) }, [N, count]);
    backend.disposeData(dScores.dataId);
  };
  for (const block of blocksOf(V, scoresAtOnce / N)) onBlock(block);
  backend.disposeData(rows.dataId);
  return [dHidden, dWeight, ...(dBias ? [dBias] : [])];
};
