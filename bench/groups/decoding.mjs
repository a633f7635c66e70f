/** @file A text written token by token with a cache, beside the same model in PyTorch and in llama.cpp. */
import { decodingFlop } from "./flop.mjs";
import { llama, native, precisions, python } from "./group.mjs";

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
  const wanted = precision === "float32" ? { wanted: { speed: 2 } } : {};
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, ...wanted };
  const cpp = llama(job);
  const beside = {
    name: `${name}, beside llama.cpp`,
    ours: "softbox",
    peers: [cpp.name],
    precision,
    wanted: { speed: 0.9 },
  };
  const reading = { name: "reading the weights alone", job: { kind: "reading", bytes: weightBytes(shape, precision) } };
  const memory = { ...native({ precision: "float32", ...reading.job }), name: reading.name };
  const share = { name: `memory's share in ${name}`, ours: "softbox", peers: [memory.name], precision };
  return {
    name,
    flop: decodingFlop(shape),
    competitors: [native(job), ...peers, cpp, memory],
    rows: [row, beside, share],
  };
}

/** Bytes of all matrices that a token is multiplied by: `12 L E² + V E` numbers. Keys and values come on top. */
const weightBytes = ({ layers, width, vocabulary }, precision) =>
  (12 * layers * width ** 2 + vocabulary * width) * (precision === "bfloat16" ? 2 : 4);
