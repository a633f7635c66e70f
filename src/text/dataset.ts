/** @file A corpus made ready for training: ids of its splits, from the cache if they were made before. */
import { defaultCacheFolder } from "../engine/cacheFolder.ts";
import { SandboxError } from "../engine/errors.ts";
import { tooFew } from "./batches.ts";
import type { Corpus } from "./corpus.ts";
import { type Encoded, readIds, type TokenSplit, writeIds } from "./idsCache.ts";
import { type SplitName, type SplitShares, splitNames, splitText } from "./splits.ts";
import { countCharacters } from "./statistics.ts";
import { createTokenizer, type Tokenizer, type TokenizerName } from "./tokenizer.ts";

export type { TokenSplit } from "./idsCache.ts";

export interface Dataset {
  readonly corpus: Pick<Corpus, "name" | "sha256" | "bytes">;
  readonly tokenizer: Tokenizer;
  readonly splits: Readonly<Record<SplitName, TokenSplit>>;
  readonly fromCache: boolean;
}

export interface DatasetOptions {
  readonly corpus: Corpus;
  /** A kind, which then learns from the whole corpus; or a tokenizer at hand, such as a checkpoint's. */
  readonly tokenizer: TokenizerName | Tokenizer;
  readonly shares: SplitShares;
  /** Tokens of context that a window needs; default 1. */
  readonly contextLength?: number | undefined;
  /** Default: `defaultCacheFolder()`. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Splits and encodes a corpus.
 *
 * Ids are kept on disk by corpus, tokenizer and shares. A cache file that is damaged or not ours is made anew, and a
 * folder that cannot be written is no failure: the corpus is then encoded each time.
 *
 * @throws {SandboxError} if a split with a share is shorter than a window (`contextLength` + 1 tokens).
 */
export async function prepareDataset(options: DatasetOptions): Promise<Dataset> {
  const { corpus, tokenizer, shares, contextLength = 1, cacheFolder = defaultCacheFolder() } = options;
  const key = {
    corpus: corpus.sha256,
    tokenizer: typeof tokenizer === "string" ? tokenizer : tokenizer.hash,
    shares: splitNames.map((name) => shares[name]),
  };
  const cached = await readIds(cacheFolder, key);
  const encoded = cached ?? encodeCorpus(corpus.text, tokenizer, shares);
  if (!cached) await writeIds(cacheFolder, key, encoded);
  expectWindows(encoded.splits, shares, contextLength);
  const { name, sha256, bytes } = corpus;
  return { corpus: { name, sha256, bytes }, ...encoded, fromCache: cached !== undefined };
}

function encodeCorpus(text: string, given: TokenizerName | Tokenizer, shares: SplitShares): Encoded {
  const texts = splitText(text, shares);
  const tokenizer = typeof given === "string" ? createTokenizer(given, text) : given;
  const encode = (part: string): TokenSplit => ({
    ids: tokenizer.encode(part),
    bytes: Buffer.byteLength(part),
    characters: countCharacters(part),
  });
  const splits = {
    train: encode(texts.train),
    validation: encode(texts.validation),
    calibration: encode(texts.calibration),
  };
  return { tokenizer, splits };
}

function expectWindows(splits: Dataset["splits"], shares: SplitShares, contextLength: number): void {
  const short = splitNames.find((name) => shares[name] > 0 && splits[name].ids.length < contextLength + 1);
  if (!short) return;
  throw new SandboxError(
    tooFew(splits[short].ids.length, contextLength, `${short} split`),
    `Use more text, a shorter context, or another share for it (it has ${shares[short]}; 0 leaves it out).`,
  );
}
