/**
 * @file Causal attention, forward and backward, at one number of tokens and several lengths, beside PyTorch's
 * `scaled_dot_product_attention`. With the tokens kept equal, memory that grows with T stays as it is from row to row, and
 * memory that grows with T² grows with T.
 */
import { attentionFlop } from "./flop.mjs";
import { native, precisions, python } from "./group.mjs";

const sizesOf = {
  full: { width: 384, heads: 6, tokens: 2048, contexts: [64, 256, 1024, 2048] },
  tiny: { width: 8, heads: 2, tokens: 16, contexts: [8] },
};

const nameOf = (context, precision) => `attention, T = ${context}, ${precision}`;

/** @returns {import("./group.mjs").Group[]} */
export function attentionGroups(sizes) {
  const { contexts, tokens, ...shape } = sizesOf[sizes];
  const job = (context) => ({ ...shape, context, batch: tokens / context });
  return contexts.flatMap((context) => precisions.map((precision) => group(job(context), precision)));
}

function group(shape, precision) {
  const name = nameOf(shape.context, precision);
  const job = { kind: "attention", precision, ...shape };
  const row = { name, ours: "softbox", peers: ["PyTorch"], precision, wanted: { speed: 1 } };
  return { name, flop: attentionFlop(job), competitors: [native(job), python("PyTorch", job)], rows: [row] };
}

/** @returns {import("./group.mjs").Check[]} */
export const attentionChecks = (sizes) =>
  sizes === "tiny"
    ? []
    : precisions.map((precision) => ({
        name: `extra memory of attention at T = 2048 against T = 1024, as many tokens, ${precision} (T² would give 2)`,
        row: nameOf(2048, precision),
        against: nameOf(1024, precision),
        atMost: 1.25,
      }));
