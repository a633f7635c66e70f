import { expect, test } from "vitest";
import { frameOf } from "../../../../test/tui/frame.ts";
import { sampleSnapshot, sampleState } from "../../../../test/tui/sampleState.ts";
import { textCells } from "../../cells.ts";
import { createEditor } from "../editor.ts";
import type { Insight, Query } from "../port.ts";
import type { State } from "../state.ts";
import { PlayScreen } from "./PlayScreen.tsx";

function frame(columns: number, rows: number, changes: Partial<State> = {}): string {
  return frameOf(<PlayScreen state={sampleState(columns, rows, changes)} />);
}

test("80 columns", () => {
  expect(frame(80, 24)).toMatchInlineSnapshot(`
    "moby · step 1,500 · mos:4 · native · 1.2 M parameters · 15,936 tokens
    temperature 0.80  top-k 5  top-p off  min-p off  seed 1
    ─ text · 5 tokens ──────────────────────────────────────── ≥50% ≥10% ≥1% rarer ─
    Call me Ishmael.⏎
    Some 鯨▏


    surprise ▁▂▃▇  mean 2.97 nats
    ─ entropy 2.10 nats (≈ 8.2 tokens), raw 3.21 (≈ 24.8) ──────────────────────────
        final  raw    0╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌1 token  ▓gained ░lost
    ▸ 1 0.5500 0.4000 ███████████████▓▓▓▓▓                  ␣the
      2 0.2500 0.2000 ███████▓▓                             ␣whale
      3 0.1000 0.1000 ███▊                                  ⏎
      4 0.0600 0.0800 ██░                                   ␣鯨🐋
      5 0.0400 0.0500 █░                                    ␛[2J
      6 cut    0.0200 ░                                     ␣leviathanically-overgr…
      7 cut    0.0100                                       ⇥



    mixture π ▅0.61 ▃0.30 ▁0.09

    ← → temp  space step  ? help  q quit  enter run  tab pick  ↑ ↓ select  e edit"
  `);
});

test("40 columns", () => {
  expect(frame(40, 10)).toMatchInlineSnapshot(`
    "moby · step 1,500 · mos:4 · native
    T 0.80 k 5 p off m off s 1
    Call me Ishmael.⏎
    Some 鯨▏
    ─ H 2.10 ≈ 8.2 tokens, raw 3.21 ≈ 24.8 ─
    ▸ 1 0.5500 0.4000 █████▓▓       ␣the
      2 0.2500 0.2000 ███▎          ␣whale
      3 0.1000 0.1000 █▎            ⏎
    ← → temp  space step  ? help  q quit"
  `);
});

test("editing the prompt at 40 columns", () => {
  const editor = createEditor("Call me Ishmael. Some years ago\nnever mind how long");
  expect(frame(40, 12, { page: "edit", editor })).toMatchInlineSnapshot(`
    "moby · step 1,500 · mos:4 · native
    T 0.80 k 5 p off m off s 1
    Call me Ishmael. Some years ago⏎
    never mind how long
    ─ H 2.10 ≈ 8.2 tokens, raw 3.21 ≈ 24.8 ─
    ▸ 1 0.5500 0.4000 █████▓▓       ␣the
      2 0.2500 0.2000 ███▎          ␣whale
      3 0.1000 0.1000 █▎            ⏎
      4 0.0600 0.0800 ▊             ␣鯨🐋
      5 0.0400 0.0500 ▌             ␛[2J
    enter start  escape leave"
  `);
});

test("help at 80 columns", () => {
  expect(frame(80, 40, { page: "help" })).toMatchInlineSnapshot(`
    "─ help · 30 more below ─────────────────────────────────────────────────────────
    Keys
    ← →               temperature down, up by 0.05, or the setting that d chose
    space             sample one token
    ?                 this page
    q  ctrl-c         quit
    enter             run, pause
    tab               append the selected candidate
    ↑ ↓               select a candidate
    e  /              edit the prompt
    backspace         take the last token back
    page ↑ ↓          select ten further up, down
    1 … 9             append the candidate of this rank
    d  D              the arrows turn the next setting, the one before
    -  +              temperature down, up; 0 is greedy
    k  K              top-k down, up: keep the k likeliest
    n  N              top-p (nucleus) down, up: keep the likeliest p of the mass
    i  I              min-p down, up: keep what has p times the likeliest
    r  R              start again from the prompt: new seed, same seed
    c                 the saved repair of calibration on, off
    f                 every filter and setting
    b                 keep this text as a branch
    y                 the tree of branches
    m                 the mixture: weights and components
    a                 attention maps
    l                 logit lens: what each layer would say
    p                 the film: this distribution over the run's steps
    t                 a second temperature, checkpoint or run beside
    s                 save text, settings and branches as JSON, the bars as SVG
    ctrl-l            draw the screen anew

    On the page of filters
    ↑ ↓               select a setting
    ← →               change it
    < >               apply the filter earlier, later in the chain
    escape            back to the bars

    On the tree
    escape back  ↑ ↓ scroll  ctrl-c quit"
  `);
});

test("loading, and an error with its hint", () => {
  expect(frame(60, 8, { card: undefined, snapshot: undefined })).toMatchInlineSnapshot(`
    "T 0.80 k 5 p off m off s 1
    ▏
    ─ next token ───────────────────────────────────────────────



    loading the model …"
  `);
  const notice = {
    kind: "error",
    text: "checkpoint: model.safetensors is shorter than its header says",
    hint: "train again",
  } as const;
  expect(frame(60, 8, { notice })).toMatchInlineSnapshot(`
    "T 0.80 k 5 p off m off s 1
    Some 鯨▏
    ─ entropy 2.10 nats (≈ 8.2 tokens), raw 3.21 (≈ 24.8) ──────
    ▸ 1 0.5500 0.4000 ██████████▓▓▓▓            ␣the
      2 0.2500 0.2000 █████▓                    ␣whale
      3 0.1000 0.1000 ██▌                       ⏎
    ✗ checkpoint: model.safetensors is shorter th… → train again"
  `);
});

const odd = [" 鯨🐋", "e\u0301", "\x1b[2J", "\t", " leviathanically-overgrown-by-far"];
const tokens = odd.map((text, index) => ({ text, probability: 0.5 / (index + 1) }));
const someBranches = {
  branches: [1, 2, 3].map((id) => ({ id, tokens: sampleSnapshot.tokens.slice(0, 2 + id), omitted: 0 })),
  branch: 1,
  compared: 1,
};
const insights: readonly Insight[] = [
  { kind: "mixture", components: [0.7, 0.3].map((weight) => ({ weight, tokens })) },
  {
    kind: "attention",
    layer: 0,
    head: 1,
    layers: 4,
    heads: 4,
    tokens: Array.from({ length: 64 }, (_, index) => odd[index % odd.length]!),
    weights: Array.from({ length: 64 }, (_, query) =>
      Array.from({ length: 64 }, (_, key) => (key === query ? 0.6 : key < query ? 0.4 / query : 0)),
    ),
  },
  { kind: "lens", rows: [0, 1, 2].map((layer) => ({ layer, entropy: 2, tokens })) },
  { kind: "film", frames: [100, 200].map((step) => ({ step, tokens })) },
  { kind: "peer", name: "temperature 1.60", next: sampleSnapshot.next },
];
const someAnswers = insights.map(
  (insight): Partial<State> => ({
    page: insight.kind,
    answer: { query: { kind: insight.kind } as Query, version: 0, insight },
  }),
);

test("the pages below the text at 80 columns", () => {
  for (const answer of someAnswers) expect(frame(80, 20, answer)).toMatchSnapshot(answer.page);
  expect(frame(80, 20, { page: "tree", ...someBranches })).toMatchSnapshot("tree");
  expect(frame(40, 10, { page: "tree", ...someBranches })).toMatchSnapshot("tree at 40 columns");
});

test("no page is higher than rows − 1 or wider than the window, at any size", () => {
  const long = Array.from(
    { length: 300 },
    (_, id) => ({ id, text: " 鯨🐋e\u0301\x1b[2J\t", probability: 0.02, source: "sampled" }) as const,
  );
  const states: readonly Partial<State>[] = [
    { snapshot: { ...sampleSnapshot, tokens: long, windowed: true } },
    { page: "edit", editor: createEditor("鯨".repeat(300)) },
    { page: "help", helpTop: 999 },
    { page: "tree", ...someBranches },
    { page: "settings", dial: "minP" },
    ...someAnswers,
    { notice: { kind: "error", text: "long ".repeat(60), hint: "longer ".repeat(60) } },
  ];
  for (const [columns, rows] of [
    [120, 40],
    [80, 24],
    [60, 20],
    [40, 10],
    [20, 6],
    [10, 3],
    [4, 2],
  ] as const) {
    for (const changes of states) {
      const lines = frame(columns, rows, changes).split("\n");
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
      for (const line of lines) expect(textCells(line)).toBeLessThanOrEqual(columns);
    }
  }
});
