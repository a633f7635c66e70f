/** @file What `softbox corpus stats` tells of a corpus under a tokenizer. */
import type { Corpus } from "./corpus.ts";
import { printableBytes } from "./printable.ts";
import type { Tokenizer, TokenizerKind } from "./tokenizer.ts";

export interface CorpusStatistics {
  readonly name: string;
  /** Unicode code points. */
  readonly characters: number;
  /** In UTF-8. */
  readonly bytes: number;
  readonly lines: number;
  readonly documents: number;
  readonly tokenizer: TokenizerKind;
  readonly tokens: number;
  readonly vocabSize: number;
  /** Different tokens that occur. */
  readonly vocabularyUsed: number;
  readonly bytesPerToken: number;
  /** −Σ p ln p over token frequencies: the loss, in nats per token, of a model that knows frequencies alone. */
  readonly unigramNatsPerToken: number;
  readonly unigramBitsPerByte: number;
  /** Most frequent first, ties by id. */
  readonly mostFrequent: readonly TokenCount[];
}

export interface TokenCount {
  readonly id: number;
  /** Made printable. */
  readonly text: string;
  readonly count: number;
}

/** Counts a corpus. @param shown - how many of the most frequent tokens to list. */
export function corpusStatistics(corpus: Corpus, tokenizer: Tokenizer, shown = 20): CorpusStatistics {
  const ids = tokenizer.encode(corpus.text);
  const counts = countTokens(ids, tokenizer.vocabSize);
  const nats = unigramEntropy(counts, ids.length);
  return {
    name: corpus.name,
    characters: countCharacters(corpus.text),
    bytes: corpus.bytes,
    lines: countLines(corpus.text),
    documents: corpus.documents,
    tokenizer: tokenizer.kind,
    tokens: ids.length,
    vocabSize: tokenizer.vocabSize,
    vocabularyUsed: counts.filter((count) => count > 0).length,
    bytesPerToken: corpus.bytes / ids.length,
    unigramNatsPerToken: nats,
    unigramBitsPerByte: (nats * ids.length) / Math.LN2 / corpus.bytes,
    mostFrequent: mostFrequent(counts, tokenizer, shown),
  };
}

/** Unicode code points of a text. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if (text.codePointAt(at)! > 0xffff) {
      count--;
      at++;
    }
  }
  return count;
}

function countLines(text: string): number {
  const newlines = text.match(/\n/g)?.length ?? 0;
  return text === "" || text.endsWith("\n") ? newlines : newlines + 1;
}

function countTokens(ids: Int32Array, vocabSize: number): Int32Array {
  const counts = new Int32Array(vocabSize);
  for (const id of ids) counts[id]!++;
  return counts;
}

function unigramEntropy(counts: Int32Array, total: number): number {
  let nats = 0;
  for (const count of counts) if (count > 0) nats -= (count / total) * Math.log(count / total);
  return nats;
}

function mostFrequent(counts: Int32Array, tokenizer: Tokenizer, shown: number): TokenCount[] {
  const used = Array.from(counts.keys()).filter((id) => counts[id]! > 0);
  used.sort((a, b) => counts[b]! - counts[a]! || a - b);
  return used.slice(0, shown).map((id) => ({
    id,
    text: printableBytes(tokenizer.tokenBytes(id)),
    count: counts[id]!,
  }));
}
