/**
 * @file Matrix products through `tf.matMul`, beside OpenBLAS, MKL and oneDNN. In bfloat16 ours starts from float32 tensors and
 * rounds them; PyTorch is given tensors that are bfloat16 already.
 */
import { matmulFlop } from "./flop.mjs";
import { native, precisions, python } from "./group.mjs";

const shapes = {
  full: [
    { m: 1024, k: 1024, n: 1024 },
    { m: 768, k: 384, n: 1536 },
    { m: 768, k: 128, n: 50_257 },
  ],
  tiny: [{ m: 8, k: 8, n: 8 }],
};

const layouts = [
  { text: "A·B", transposeA: false, transposeB: false },
  { text: "A·Bᵀ", transposeA: false, transposeB: true },
  { text: "Aᵀ·B", transposeA: true, transposeB: false },
];

/** @returns {import("./group.mjs").Group[]} */
export const matmulGroups = (sizes) =>
  shapes[sizes].flatMap((shape) =>
    precisions.flatMap((precision) =>
      (sizes === "tiny" ? layouts.slice(0, 1) : layouts).map((layout) =>
        group(shape, layout, precision, shape === shapes[sizes][0] && layout === layouts[0]),
      ),
    ),
  );

/** The first product is the yardstick of every other row: the best that this machine's libraries reach. */
function group({ m, k, n }, { text, transposeA, transposeB }, precision, yardstick) {
  const name = `matmul ${m} × ${k} × ${n}, ${text}, ${precision}`;
  const job = { kind: "matmul", precision, m, k, n, transposeA, transposeB };
  const peers = precision === "float32" ? float32Peers(job) : [python("oneDNN", { ...job, library: "torch" })];
  const row = { name, ours: "softbox", peers: peers.map((peer) => peer.name), precision, wanted: { speed: 0.9 } };
  return {
    name,
    flop: matmulFlop(job),
    competitors: [native(job), ...peers],
    rows: [row],
    yardstick,
    showMemory: false,
  };
}

/** NumPy's OpenBLAS may take AVX2 kernels on processors that it does not know, so it is also told to use AVX-512. */
const float32Peers = (job) => [
  python("OpenBLAS", { ...job, kind: "openblas" }),
  python(
    "OpenBLAS as SkylakeX",
    { ...job, kind: "openblas" },
    { env: { OPENBLAS_CORETYPE: "SkylakeX" }, instructions: "avx512f" },
  ),
  python("MKL", { ...job, library: "torch" }),
  python("oneDNN", { ...job, library: "onednn" }),
];
