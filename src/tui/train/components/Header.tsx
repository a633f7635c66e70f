/** @file The top of the training screen: which run, how far it is, how well it does, how fast. */
import { readable, textCells, truncate } from "../../cells.ts";
import { Line } from "../../components.tsx";
import { duration, grouped, shortCount, threeDigits } from "../../numbers.ts";
import { theme } from "../../theme.ts";
import type { Span } from "../../wrap.ts";
import type { RunCard } from "../port.ts";
import type { Phase, State } from "../state.ts";

export interface HeaderProps {
  readonly state: State;
  /** In cells. */
  readonly width: number;
}

/** `moby · transformer softmax · 1.2 M parameters · moby-dick, char · native`, as many facts as fit. */
export function RunLine({ state, width }: HeaderProps) {
  const { card } = state;
  if (card === undefined) return <Line width={width} spans={[{ text: "softbox train", look: theme.title }]} />;
  const facts = factsOf(card).map((text) => ` · ${readable(text)}`);
  const run = truncate(readable(card.run), width);
  const spans: Span[] = [{ text: run, look: theme.title }];
  let used = textCells(run);
  for (const fact of facts) {
    used += textCells(fact);
    if (used > width) break;
    spans.push({ text: fact, look: theme.plain });
  }
  return <Line width={width} spans={spans} />;
}

const sources: Readonly<Record<RunCard["source"], readonly string[]>> = {
  training: [],
  replay: ["replay"],
  watching: ["watching another process"],
};

function factsOf({ source, model, parameters, corpus, tokenizer, engine }: RunCard): readonly string[] {
  const size = parameters === undefined ? [] : [`${shortCount(parameters)} parameters`];
  return [...sources[source], model, ...size, `${corpus}, ${tokenizer}`, engine];
}

const phases: Readonly<Record<Phase, readonly [mark: string, name: string]>> = {
  loading: ["…", "loading"],
  running: ["▶", "training"],
  paused: ["‖", "paused"],
  stopping: ["■", "stopping, saving"],
  finished: ["✓", "finished"],
  stopped: ["■", "stopped"],
  failed: ["✗", "failed"],
};

/** `▶ training  step 412 of 1,000  ██████▌░░░░  41 %  ETA 1:05` */
export function ProgressLine({ state, width }: HeaderProps) {
  const { phase, step, card } = state;
  const [mark, name] = phases[phase];
  const steps = card?.steps ?? 0;
  const share = steps > 0 ? Math.min(1, step / steps) : 0;
  const head = `${mark} ${width >= 60 ? name : ""}`.trimEnd();
  const where = steps > 0 ? `  step ${grouped(step)} of ${grouped(steps)}` : "";
  const tail = `  ${Math.floor(share * 100)} %${remaining(state)}`;
  const room = Math.min(30, width - textCells(head) - where.length - tail.length - 2);
  const filled = Math.round(share * Math.max(0, room));
  const bar: readonly Span[] =
    room < 5 || steps === 0
      ? []
      : [
          { text: `  ${"█".repeat(filled)}`, look: theme.barSame },
          { text: "░".repeat(room - filled), look: theme.faint },
        ];
  const look =
    phase === "failed" ? theme.error : phase === "running" || phase === "finished" ? theme.value : theme.busy;
  return (
    <Line
      width={width}
      spans={[
        { text: head, look },
        { text: where, look: theme.title },
        ...bar,
        { text: steps > 0 ? tail : "", look: theme.plain },
      ]}
    />
  );
}

function remaining({ phase, card, step, smoothed }: State): string {
  if (card?.source === "replay" || smoothed === undefined || (phase !== "running" && phase !== "paused")) return "";
  return `  ETA ${duration(((card!.steps - step) * smoothed.milliseconds) / 1000)}`;
}

/** `loss 2.310  smoothed 2.352  validation 2.284  best 2.284 at 400  3.28 bits per byte` */
export function LossLine({ state, width }: HeaderProps) {
  const { last, smoothed, evaluation, best } = state;
  const figures: readonly Figure[] = [
    ["loss", last?.loss.toFixed(3)],
    ["smoothed", smoothed?.loss.toFixed(3)],
    ["validation", evaluation?.nats.toFixed(3)],
    ["best", best && `${best.nats.toFixed(3)} at ${grouped(best.step)}`],
    ["bits per byte", evaluation?.bitsPerByte.toFixed(3)],
  ];
  return <Line width={width} spans={figureSpans(figures, width)} />;
}

/** `learning rate 1.0e-3  gradient 1.20  11,400 tokens/s  memory 320 MB  saved 400  ⚠ 2` */
export function FiguresLine({ state, width }: HeaderProps) {
  const { last, smoothed, memory, savedStep, warnings } = state;
  const speed = last && smoothed ? grouped((1000 * last.tokens) / smoothed.milliseconds) : undefined;
  const narrow = width < 60;
  const figures: readonly Figure[] = [
    [narrow ? "lr" : "learning rate", last && threeDigits(last.learningRate)],
    [narrow ? "grad" : "gradient", last?.gradientNorm.toFixed(2)],
    ["tokens/s", speed],
    [narrow ? "MB" : "memory MB", memory === undefined ? undefined : grouped(memory)],
    ["saved", savedStep === undefined ? undefined : grouped(savedStep)],
    ["⚠", warnings.length > 0 ? String(warnings.length) : undefined],
  ];
  return <Line width={width} spans={figureSpans(figures, width)} />;
}

/** A name and its value; without a value it is left out. */
type Figure = readonly [name: string, value: string | undefined];

/** Names and values, as many as fit. */
function figureSpans(figures: readonly Figure[], width: number): readonly Span[] {
  const spans: Span[] = [];
  let used = 0;
  for (const [name, value] of figures) {
    if (value === undefined) continue;
    const gap = spans.length > 0 ? (width < 60 ? " " : "  ") : "";
    used += gap.length + textCells(name) + 1 + value.length;
    if (used > width) break;
    spans.push({ text: `${gap}${name} `, look: theme.faint }, { text: value, look: theme.value });
  }
  return spans;
}
