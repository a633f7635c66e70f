/** @file Every group there is, in the order of the table. The matmuls come first: the others are measured by the best of them. */
import { attentionChecks, attentionGroups } from "./attention.mjs";
import { decodingGroups } from "./decoding.mjs";
import { engineGroups } from "./engines.mjs";
import { headChecks, headGroups } from "./head.mjs";
import { matmulGroups } from "./matmul.mjs";
import { recurrentGroups } from "./recurrent.mjs";
import { tensorflowGroups } from "./tensorflow.mjs";
import { trainingGroups } from "./training.mjs";
import { webgpuGroups } from "./webgpu.mjs";

const families = [
  matmulGroups,
  trainingGroups,
  recurrentGroups,
  headGroups,
  attentionGroups,
  decodingGroups,
  engineGroups,
  tensorflowGroups,
  webgpuGroups,
];

/**
 * The groups in which some row's name contains `pattern`, and before them the yardsticks of their precisions.
 *
 * @param {"full" | "tiny"} sizes
 * @returns {import("./group.mjs").Group[]}
 */
export function chooseGroups(sizes, pattern) {
  const groups = families.flatMap((family) => family(sizes));
  const chosen = groups.map((group) => ({ ...group, rows: group.rows.filter(({ name }) => matches(name, pattern)) }));
  const precisions = new Set(chosen.flatMap(({ rows }) => rows.map(({ precision }) => precision)));
  return chosen
    .map((group, i) => (isYardstick(groups[i], precisions) ? groups[i] : group))
    .filter(({ rows }) => rows.length > 0)
    .map(withoutIdlers)
    .map((group) => (sizes === "tiny" ? withoutTargets(group) : group));
}

/** A pattern is words apart by `*`, found one after the other. */
function matches(name, pattern) {
  const words = pattern.toLowerCase().split("*");
  let from = 0;
  for (const word of words) {
    const at = name.toLowerCase().indexOf(word, from);
    if (at < 0) return false;
    from = at + word.length;
  }
  return true;
}

const isYardstick = ({ yardstick, rows }, precisions) =>
  yardstick && rows.every((row) => precisions.has(row.precision));

/** Leaves out competitors that no row asks for. */
function withoutIdlers(group) {
  const asked = new Set(group.rows.flatMap(({ ours, peers }) => [ours, ...peers]));
  return { ...group, competitors: group.competitors.filter(({ name }) => asked.has(name)) };
}

/** What is wanted is wanted at full size. */
const withoutTargets = (group) => ({ ...group, rows: group.rows.map((row) => ({ ...row, wanted: {} })) });

/** @returns {import("./group.mjs").Check[]} */
export const checksOf = (sizes) => [...headChecks(sizes), ...attentionChecks(sizes)];
