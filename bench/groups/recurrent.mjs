/** @file Training steps of recurrent models on contiguous text with carried state, beside nn.LSTM and nn.GRU in PyTorch. */
import { recurrentFlop } from "./flop.mjs";
import { eagerAndCompiled, native, precisions } from "./group.mjs";

const full = {
  name: "2 × 256, batch 20, context 35, V = 10,000",
  layers: 2,
  width: 256,
  context: 35,
  batch: 20,
  vocabulary: 10_000,
};
const tiny = { name: "1 × 8, batch 2, context 4", layers: 1, width: 8, context: 4, batch: 2, vocabulary: 11 };
const wanted = { float32: { speed: 1.4 }, bfloat16: { speed: 2 } };

/** @returns {import("./group.mjs").Group[]} */
export function recurrentGroups(sizes) {
  const cells = sizes === "tiny" ? ["lstm"] : ["lstm", "gru"];
  return cells.flatMap((cell) => precisions.map((precision) => group(cell, sizes === "tiny" ? tiny : full, precision)));
}

function group(cell, { name: size, ...job }, precision) {
  const name = `recurrent training step, ${cell} ${size}, ${precision}`;
  const whole = { kind: "recurrent", cell, precision, ...job };
  const peers = eagerAndCompiled(whole);
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, wanted: wanted[precision] };
  return { name, flop: recurrentFlop({ cell, ...job }), competitors: [native(whole), ...peers], rows: [row] };
}
