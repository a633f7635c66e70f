/** @file A report as Markdown, to be pasted into docs/log.md. */

const digits = (value, count = 3) =>
  value >= 10 ** (count - 1) ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(count)));

const columns = [
  ["job", (row) => row.name.replaceAll("|", "\\|")],
  ["softbox, ms", ({ ours }) => time(ours)],
  ["peers, ms", ({ peers }) => peersCell(peers)],
  ["× faster than the fastest (rounds)", ({ comparison }) => (comparison ? speed(comparison) : "–")],
  ["wanted", ({ verdicts }) => verdicts.map(verdict).join("; ") || "–"],
  ["peak MiB: softbox, peers", (row) => memory(row, "peakMemoryMiB")],
  ["extra MiB: softbox, peers", (row) => memory(row, "extraMemoryMiB")],
  ["GFLOP", ({ flop }) => digits(flop / 1e9)],
  ["GFLOP/s", ({ gflopsPerSecond }) => (gflopsPerSecond ? digits(gflopsPerSecond) : "–")],
  ["of the best matmul", ({ shareOfBestMatmul: share }) => (share ? `${Math.round(100 * share)} %` : "–")],
];

const time = ({ milliseconds, failed }) => (milliseconds ? digits(milliseconds) : failed ? "failed" : "not here");

/** Where nobody is there, that is said once. */
function peersCell(peers) {
  if (!peers.length) return "–";
  if (peers.every(({ unavailable, failed }) => unavailable && !failed)) return "not here";
  return peers.map((peer) => `${peer.name} ${time(peer)}`).join("; ");
}

const speed = ({ ratio, least, largest }) => `**${ratio.toFixed(2)}** (${least.toFixed(2)}–${largest.toFixed(2)})`;

const verdict = ({ what, reached, atLeast, atMost, met }) =>
  `${what} ${atLeast ? `≥ ${digits(atLeast)}` : `≤ ${digits(atMost)}`}: ${met ? "met" : "**missed**"}${what === "speed" ? "" : ` (${digits(reached)})`}`;

/** In the order of the peers; those that are not here have none. */
function memory({ ours, peers, showMemory }, key) {
  if (!showMemory) return "–";
  const there = peers.some((peer) => peer[key] !== undefined) ? peers : [];
  return [ours, ...there].map((side) => (side[key] === undefined ? "–" : digits(side[key]))).join(", ");
}

/** A row in a few words, while the run goes on. */
export const renderProgress = ({ ours, peers, comparison }) =>
  `softbox ${time(ours)}; ${peersCell(peers)}${comparison ? `; × ${speed(comparison).replaceAll("*", "")}` : ""}`;

/** @returns {string} */
export function renderReport(report) {
  const { rows, checks } = report;
  return [
    ...head(report),
    "",
    `| ${columns.map(([title]) => title).join(" | ")} |`,
    `|${columns.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${columns.map(([, cell]) => cell(row)).join(" | ")} |`),
    ...section("Between rows:", checks.map(verdict)),
    ...section("Not here, or broken:", absences(rows)),
  ].join("\n");
}

function head({ machine, settings, date }) {
  const { processor, cores, instructions, memoryGiB, system, load, quiet, versions } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const { rounds, seconds, threads } = settings;
  return [
    `${date}. ${processor}, ${cores} cores, ${instructions.join(" ")}, ${digits(memoryGiB)} GiB; ${system}.`,
    `${list.join(", ")}.`,
    `${threads} threads each; medians of up to ${rounds} rounds of ${seconds} s, in turn; load average ${load.toFixed(2)} at the start.`,
    ...(quiet ? [] : ["**Warning: the machine was not quiet; other programs are in these figures.**"]),
  ];
}

const section = (title, lines) => (lines.length ? ["", title, "", ...lines.map((line) => `- ${line}`)] : []);

/** Each reason once, with who gave it. */
function absences(rows) {
  const reasons = new Map();
  for (const { ours, peers } of rows)
    for (const { name, unavailable } of [ours, ...peers])
      if (unavailable) reasons.set(unavailable, (reasons.get(unavailable) ?? new Set()).add(name));
  return [...reasons].map(([reason, names]) => `${[...names].join(", ")}: ${reason}`);
}
