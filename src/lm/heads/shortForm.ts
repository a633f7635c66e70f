/** @file How a head is written on the command line: `softmax`, `mos:8`, `adaptive:2000,10000`. */
import { SandboxError } from "../../engine/errors.ts";
import { didYouMean } from "../../engine/nearest.ts";
import { HeadConfig } from "./config.ts";

/** What may follow the colon, by kind of head; nothing for the others. */
const readers: { readonly [kind: string]: (text: string) => object } = {
  mos: (text) => ({ mixtures: Number(text) }),
  moc: (text) => ({ mixtures: Number(text) }),
  adaptive: (text) => ({ cutoffs: text.split(",").map(Number) }),
};

const kinds = HeadConfig.options.map(({ shape }) => shape.kind.value);
const forms = "softmax, mos:K, moc:K, sigsoftmax, adaptive:cutoff,cutoff,… or sigmoid";

/** Reads the short form, e.g. `mos:8`. @throws {SandboxError} for an unknown head or a number out of range. */
export function parseHead(text: string): HeadConfig {
  const [kind = "", numbers, ...rest] = text.split(":");
  const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  const readable = rest.length === 0 && (numbers === undefined || (reader !== undefined && numbers !== ""));
  const raw = { kind, ...(numbers === undefined ? {} : reader?.(numbers)) };
  const result = readable ? HeadConfig.safeParse(raw) : undefined;
  if (result?.success) return result.data;
  throw new SandboxError(
    `head: expected ${forms}, got ${JSON.stringify(text)}`,
    `${didYouMean(kind, kinds)}For a mixture of four softmaxes type --head mos:4; K goes from 1 to 256, cutoffs rise and lie below the vocabulary's size.`,
  );
}

/** The short form of a head. */
export function headName(head: HeadConfig): string {
  if (head.kind === "mos" || head.kind === "moc") return `${head.kind}:${head.mixtures}`;
  return head.kind === "adaptive" ? `adaptive:${head.cutoffs.join(",")}` : head.kind;
}
