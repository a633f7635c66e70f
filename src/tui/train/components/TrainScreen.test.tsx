import { expect, test } from "vitest";
import { frameOf } from "../../../../test/tui/frame.ts";
import { sampleRun, sampleRunCard } from "../../../../test/tui/sampleRun.ts";
import { textCells } from "../../cells.ts";
import { initialState, panels, type State } from "../state.ts";
import { TrainScreen } from "./TrainScreen.tsx";

function frame(columns: number, rows: number, changes: Partial<State> = {}): string {
  return frameOf(<TrainScreen state={sampleRun(columns, rows, changes)} />);
}

test("80 columns", () => {
  expect(frame(80, 24)).toMatchInlineSnapshot(`
    "checkpoints/moby · transformer softmax · 1.2 M parameters · moby-dick, char
    ▶ training  step 200 of 400  ███████████████░░░░░░░░░░░░░░░  50 %  ETA 0:10
    loss 2.013  smoothed 2.026  validation 2.250  best 2.250 at 200
    learning rate 0.001  gradient 1.25  tokens/s 15,360  memory MB 320  saved 200
    ─ loss in nats per token ───────────────── ⡂ each step ⠒ smoothed ◆ validation ─
       3.95┤⠙⢍⡓⠒⠤⣀⡀
           │  ⠉⠢⣀ ⠈⠑⠲⢤⡀
           │    ⠈⠑⠢⣄  ⠈⠑⠢⢤⣀
       2.98┤        ⠉⠒⠤⣄⡀  ⠉⠓⠦⢤⣀⡀
           │            ⠉⠙⠒⠤⢄⣀⡀ ⠉⠑⠒⠤⠤⣀⡀
           │                  ⠈⠉⠑⠒⠲⠤⠤⢄⣈⣉⣙⠒⠒⠢⠤⠤⣄◆⣀⣀
       2.01┤                            ⠈⠉⠉⠉⠉⠑⠒⠒⠒⠚⠛⠛⠯⠭⠵⠶⠶⠶⠶⠶⠶⠦⠤⠤⠤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣄⣀⣀⣀⣀⣀⣀⣀⣀◆
           └1─────────────────────────────────101────────────────────────────────200
    ─ after the␣ at step 200 ─────────────────────────────────────── ▓gained ░lost ─
    0.4000 ██████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓           w
    0.2000 █████████████████████░░░░░░░░░░                      ␣鯨🐋
    0.0200 ██▏                                                  ␛[2J
    0.0100 ▓                                                    ⇥
    ─ sample at step 200 ───────────────────────────────────────────────────────────
    the white whale␛[2J⏎
    and 鯨🐋⇥the sea

    space pause  q quit  ? help  w save  tab panel  l log"
  `);
});

test("40 columns", () => {
  expect(frame(40, 10)).toMatchInlineSnapshot(`
    "▶  step 200 of 400  50 %  ETA 0:10
    loss 2.013 smoothed 2.026
    lr 0.001 grad 1.25 tokens/s 15,360
    ─ loss in nats per token ───────────────
       3.95┤⠙⢿⣒⠤⣄⡀
           │  ⠈⠑⠲⢭⣑⡲⠤⣄⣀⡀
       2.01┤       ⠈⠉⠑⠒⠛⠫⠷⠶◆⠦⠤⠤⣤⣤⣤⣤⣄⣀⣀⣀⣀⣀⣀⣀◆
           └1─────────────101────────────200
    space pause  q quit  ? help  w save"
  `);
});

test("40 columns, the probe alone, and the question whether to leave", () => {
  expect(frame(40, 10, { panel: "probe", page: "leave" })).toMatchInlineSnapshot(`
    "▶  step 200 of 400  50 %  ETA 0:10
    loss 2.013 smoothed 2.026
    lr 0.001 grad 1.25 tokens/s 15,360
    ─ after the␣ at step 200 ───────────────
    0.4000 ████▓▓▓▓▓▓▓▓▓▓▓▓     w
    0.2000 ████████░░░░         ␣鯨🐋
    0.0200 ▊                    ␛[2J
    0.0100 ▍                    ⇥
    stop, save and leav… → q yes, escape no"
  `);
});

test("loading, and a failure with its hint", () => {
  expect(frameOf(<TrainScreen state={initialState({ columns: 60, rows: 8 })} />)).toMatchInlineSnapshot(`
    "… loading

    ─ loss in nats per token ───────────────────────────────────

    no point yet

    loading text and model …"
  `);
  const notice = { kind: "error", text: "run x: process 7 is training it", hint: "wait for it" } as const;
  expect(frame(60, 8, { phase: "failed", notice })).toMatchInlineSnapshot(`
    "✗ failed  step 200 of 400  ██████████████░░░░░░░░░░░░░  50 %
    loss 2.013  smoothed 2.026  validation 2.250
    ─ loss in nats per token ───────────────────────────────────
       3.95┤⠙⠻⠵⣒⡲⠤⢄⣀⣀
           │    ⠉⠑⠒⠦⠬⢍⣑⣒⠢⠤⠤⣄⣀⣀
       2.01┤            ⠉⠉⠉⠑⠒⠒⠛⠛⠯⠵⠶⠶⠶◆⠶⠤⠤⠤⠤⣤⣤⣤⣤⣤⣤⣤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀◆
    ✗ run x: process 7 is training it → wait for it"
  `);
});

test("no page is higher than rows − 1 or wider than the window, at any size", () => {
  const states: readonly Partial<State>[] = [
    ...panels.map((panel) => ({ panel })),
    { page: "help", helpTop: 999 },
    { card: { ...sampleRunCard, run: "鯨🐋".repeat(60), engine: "long ".repeat(40) }, logX: true, logY: true },
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
