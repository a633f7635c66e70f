/** @file A finished run as plain lines: what `train --ui` says where no screen can be drawn. */
import { openRecording } from "../../experiments/recording.ts";
import { print } from "../output.ts";
import { createJsonPrinter, createProgressPrinter } from "../progress.ts";
import { recordCard } from "./recordPort.ts";

/** Prints the record's evaluations, probes and samples, and its last step; all its events as JSON where asked. */
export function printRecord(folder: string, json: boolean): void {
  const events = openRecording(folder).read();
  const card = recordCard(folder, "replay");
  const printer = json ? createJsonPrinter() : createProgressPrinter(card.steps);
  if (!json) print(`${folder}: ${card.model} · ${card.corpus}, ${card.tokenizer} · ${card.engine}`);
  const last = events.findLast((event) => event.type === "step");
  for (const event of events) if (json || event.type !== "step" || event === last) printer.show(event);
}
