/** @file A text written token by token with a cache, beside the same model in PyTorch. */
import { decodingFlop } from "./flop.mjs";
import { native, precisions, python } from "./group.mjs";

const shapes = {
  full: { layers: 12, width: 768, heads: 12, context: 1024, vocabulary: 50_257, prompt: 64, tokens: 128 },
  tiny: { layers: 1, width: 8, heads: 2, context: 16, vocabulary: 11, prompt: 3, tokens: 4 },
};

/** @returns {import("./group.mjs").Group[]} */
export const decodingGroups = (sizes) => precisions.map((precision) => group(shapes[sizes], precision));

function group(shape, precision) {
  const { layers, width, vocabulary } = shape;
  const name = `decoding, a token, ${layers} × ${width}, V = ${vocabulary.toLocaleString("en-US")}, ${precision}`;
  const job = { kind: "decoding", precision, ...shape };
  const peers = [python("PyTorch with cache", job)];
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, wanted: { speed: 2 } };
  return { name, flop: decodingFlop(shape), competitors: [native(job), ...peers], rows: [row] };
}
