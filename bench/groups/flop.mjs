/**
 * @file Operations of a job: two for every multiply-add of its matrix products. Norms, activations, softmaxes and the optimiser
 * are left out, and so is what an implementation recomputes. A backward pass has twice the products of its forward pass.
 */

/** `[m, k] · [k, n]`. */
export const matmulFlop = ({ m, k, n }) => 2 * m * k * n;

/** Causal attention: two products over `(T + 1) / 2` positions on average; forward and backward. */
export const attentionFlop = ({ batch, context, width }) => 3 * batch * context * 2 * width * (context + 1);

/** An output head: K products with the table and what makes their K inputs; forward and backward. */
export function headFlop({ tokens, width, vocabulary, mixtures }) {
  const table = 2 * tokens * Math.max(1, mixtures) * width * vocabulary;
  const makers = 2 * tokens * mixtures * (width * width + width);
  return 3 * (table + makers);
}

/** A training step: in every block qkv (3 E²), output (E²) and feed-forward (8 E²); attention; the head. */
export function trainingFlop({ vocabulary, context, width, layers, batch }) {
  const tokens = batch * context;
  const products = 3 * layers * 2 * tokens * 12 * width * width;
  const attention = layers * attentionFlop({ batch, context, width });
  return products + attention + headFlop({ tokens, width, vocabulary, mixtures: 0 });
}

/** A token read after others: every matrix once, and the head. The few positions before it are left out. */
export const decodingFlop = ({ vocabulary, width, layers }) => 2 * (layers * 12 * width * width + width * vocabulary);

/** A training step of a recurrent model: every product forward, and twice that backward. */
export function recurrentFlop({ cell, layers, width, context, batch, vocabulary }) {
  const gates = cell === "lstm" ? 4 : 3;
  const tokens = batch * context;
  return 3 * 2 * tokens * width * (layers * 2 * gates * width + vocabulary);
}
