/** @file The fixed prompts of a run as ids. A recipe's prompt may hold characters that the user's text lacks. */
import { SandboxError } from "../engine/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { RunConfig } from "./config.ts";

export interface EncodedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
}

/** What a run looks at at every evaluation. */
export interface RunPrompts {
  readonly probes: readonly EncodedPrompt[];
  /** Absent where no sample is wanted, or its prompt cannot be encoded. */
  readonly sample?: EncodedPrompt;
}

/** Encodes a run's prompts; one that the tokenizer cannot read is left out aloud, before hours of training. */
export function encodePrompts(config: RunConfig, tokenizer: Tokenizer, onWarning: (line: string) => void): RunPrompts {
  const encode = (what: string, text: string): EncodedPrompt[] => {
    try {
      return [{ text, ids: [...tokenizer.encode(text)] }];
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      onWarning(`${what} ${JSON.stringify(text)} is left out: ${error.message}`);
      return [];
    }
  };
  const probes = config.probes.flatMap((prompt) => encode("probe", prompt));
  const [sample] = config.sample.tokens > 0 ? encode("sample prompt", config.sample.prompt) : [];
  return { probes, ...(sample ? { sample } : {}) };
}

/** The recipe's prompt, where nobody names one; for a text that lacks its characters, the first token that the model knows. */
export function knownPrompt(prompt: string, tokenizer: Pick<Tokenizer, "encode" | "decode">): string {
  try {
    tokenizer.encode(prompt);
    return prompt;
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return tokenizer.decode([0]);
  }
}

/**
 * What stands between a prompt and the text that goes on from it: a tokenizer of words puts a space behind each, also behind a prompt's
 * last; others nothing.
 */
export function gapAfter(prompt: string, tokenizer: Tokenizer): string {
  if (prompt === "" || /\s$/.test(prompt)) return "";
  return /\s*$/.exec(tokenizer.decode(tokenizer.encode(prompt)))![0];
}
