/**
 * @file What a benchmark is made of. A group is a job and its competitors, timed in turn; each of its rows sets one of ours
 * beside some peers.
 *
 * @typedef {object} Competitor
 * @property {string} name - unique in its group; shown in the table.
 * @property {"softbox" | "tfjs" | "python" | "llama"} program - which worker runs it.
 * @property {object} job - what the worker is told.
 * @property {Record<string, string>} [env] - added to the worker's environment.
 * @property {string} [instructions] - a CPU flag without which it cannot run.
 *
 * @typedef {object} Wanted
 * @property {number} [speed] - least (time of the fastest peer) / (our time).
 * @property {number} [peak] - largest (our peak memory) / (smallest of the peers').
 * @property {number} [extra] - the same of the memory beyond inputs and parameters.
 * @property {number} [peakMiB] - largest peak of our process.
 *
 * @typedef {object} Row
 * @property {string} name - unique in the run.
 * @property {string} ours - name of a competitor.
 * @property {readonly string[]} peers - names of competitors.
 * @property {"float32" | "bfloat16"} precision
 * @property {Wanted} [wanted]
 *
 * @typedef {object} Group
 * @property {string} name
 * @property {number} flop - operations of one step, by bench/groups/flop.mjs.
 * @property {readonly Competitor[]} competitors
 * @property {readonly Row[]} rows
 * @property {number} [rounds] - most rounds, for groups that are slow.
 * @property {boolean} [yardstick] - its best competitor is what the GFLOP/s of every row are measured by.
 * @property {boolean} [showMemory] - false where memory says nothing.
 *
 * @typedef {object} Check - compares the extra memory of two rows of ours.
 * @property {string} name
 * @property {string} row
 * @property {string} against
 * @property {number} atMost - largest ratio.
 */

/** Both precisions, each timed and judged on its own. */
export const precisions = ["float32", "bfloat16"];

/** @returns {Competitor} softbox's native engine. */
export const native = (job) => ({ name: "softbox", program: "softbox", job: { engine: "native", ...job } });

/** @returns {Competitor} */
export const python = (name, job, more = {}) => ({ name, program: "python", job, ...more });

/** @returns {Competitor} llama.cpp. */
export const llama = (job) => ({ name: "llama.cpp", program: "llama", job });

/** PyTorch as it is and with `torch.compile`. */
export const eagerAndCompiled = (job) => [
  python("PyTorch eager", { ...job, compile: false }),
  python("PyTorch compiled", { ...job, compile: true }),
];
