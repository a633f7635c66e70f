/** @file From times to rows: the fastest peer, ratios, what was wanted and whether it was met. Plain data, no text. */
import { compareTimes, median } from "./statistics.mjs";

/**
 * @param {import("../groups/group.mjs").Group} group
 * @param {Map<string, import("./rounds.mjs").Result>} results
 */
export function judgeGroup({ rows, flop, yardstick = false, showMemory = true }, results) {
  return rows.map(({ name, precision, wanted = {}, ours: oursName, peers: peerNames }) => {
    const ours = side(oursName, results.get(oursName));
    const peers = peerNames.map((peer) => side(peer, results.get(peer)));
    const there = peers.filter(({ milliseconds }) => milliseconds !== undefined);
    const fastest = minimum(there, "milliseconds");
    const comparison = ours.times && fastest ? compareTimes(ours.times, fastest.times) : undefined;
    const gflops = ours.milliseconds && flop / ours.milliseconds / 1e6;
    const row = { name, precision, flop, yardstick, showMemory, ours, peers, fastest: fastest?.name };
    return { ...row, comparison, gflopsPerSecond: gflops, verdicts: judge(wanted, { ours, there, comparison }) };
  });
}

function side(name, { times, ...rest }) {
  return times?.length ? { name, ...rest, milliseconds: median(times), times } : { name, ...rest };
}

const minimum = (sides, key) => sides.reduce((best, next) => (best && best[key] <= next[key] ? best : next), undefined);

/** What was wanted, beside what was reached; nothing where either side is missing. */
function judge(wanted, { ours, there, comparison }) {
  if (!ours.times) return [];
  const share = (key) => there.length && ours[key] / minimum(there, key)[key];
  const figures = [
    { what: "speed", reached: comparison?.ratio, atLeast: wanted.speed },
    { what: "peak memory", reached: share("peakMemoryMiB"), atMost: wanted.peak },
    { what: "extra memory", reached: share("extraMemoryMiB"), atMost: wanted.extra },
    { what: "peak memory, MiB", reached: ours.peakMemoryMiB, atMost: wanted.peakMiB },
  ];
  return figures.filter(({ reached, atLeast, atMost }) => reached && (atLeast ?? atMost)).map(withVerdict);
}

const withVerdict = (figure) => ({
  ...figure,
  met: figure.reached >= (figure.atLeast ?? 0) && figure.reached <= (figure.atMost ?? Infinity),
});

/** Adds to each row which share it is of the best matmul at its precision. The yardsticks are rows among them. */
export function addShares(rows) {
  const best = (precision) =>
    Math.max(
      ...rows
        .filter((row) => row.yardstick && row.precision === precision)
        .flatMap(({ ours, peers, flop }) =>
          [ours, ...peers].map(({ milliseconds }) => (milliseconds ? flop / milliseconds / 1e6 : 0)),
        ),
    );
  const bests = { float32: best("float32"), bfloat16: best("bfloat16") };
  return rows.map((row) => ({
    ...row,
    shareOfBestMatmul: row.gflopsPerSecond && row.gflopsPerSecond / bests[row.precision],
  }));
}

/** Comparisons between rows of ours, for those whose rows were run. */
export function judgeChecks(checks, rows) {
  const extra = (name) => rows.find((row) => row.name === name)?.ours.extraMemoryMiB;
  return checks
    .filter(({ row, against }) => extra(row) !== undefined && extra(against) !== undefined)
    .map(({ name, row, against, atMost }) => withVerdict({ what: name, reached: extra(row) / extra(against), atMost }));
}
