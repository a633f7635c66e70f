/** @file A run's events for TensorBoard, in files beside its record. Numbers at each step, text and histograms at each evaluation. */
import type { RunConfig } from "../config.ts";
import type { RunEvent } from "../events.ts";
import { cutEventFiles, eventFiles, openEventFile } from "./eventFile.ts";
import type { Shown } from "./summary.ts";

export interface Board {
  /** What an event shows; most show something. */
  add(event: RunEvent): void;
  show(step: number, shown: readonly Shown[]): void;
  flush(): void;
  close(): void;
}

/**
 * Opens a new file in the run's folder. What an earlier one holds beyond `step` is cut off, as it comes again; of what was not recorded then
 * nothing is made up.
 *
 * @param step - where the run stands.
 */
export async function openBoard(folder: string, config: RunConfig, step: number): Promise<Board> {
  await cutEventFiles(folder, step);
  const isFirst = eventFiles(folder).length === 0;
  const file = openEventFile(folder);
  if (isFirst) file.add(step, [{ tag: "configuration", text: verbatim(JSON.stringify(config, null, 2)) }]);
  return {
    add: (event) => file.add(event.step, shownOf(event)),
    show: file.add,
    flush: file.flush,
    close: file.close,
  };
}

function shownOf(event: RunEvent): Shown[] {
  switch (event.type) {
    case "step":
      return [
        { tag: "loss/training", scalar: event.loss },
        { tag: "learning-rate", scalar: event.learningRate },
        { tag: "gradient-norm", scalar: event.gradientNorm },
        { tag: "tokens-per-second", scalar: (1000 * event.tokens) / event.milliseconds },
      ];
    case "skipped":
      return [{ tag: "skipped-steps-in-a-row", scalar: event.inARow }];
    case "evaluation":
      return [
        { tag: "loss/validation", scalar: event.nats },
        { tag: "perplexity", scalar: event.perplexity },
        { tag: "bits-per-byte", scalar: event.bitsPerByte },
      ];
    case "gate":
      return [{ tag: "gate/entropy", scalar: event.entropy }];
    case "sample":
      return [{ tag: "sample", text: verbatim(event.prompt + event.text) }];
    case "probe": {
      const rows = event.tokens.map(({ text, probability }) => `${probability.toFixed(4)}  ${JSON.stringify(text)}`);
      return [{ tag: `probe/${JSON.stringify(event.prompt)}`, text: verbatim(rows.join("\n")) }];
    }
    default:
      return [];
  }
}

/** TensorBoard reads Markdown: four spaces keep a text as it is. */
const verbatim = (text: string): string => text.replace(/^/gm, "    ");
