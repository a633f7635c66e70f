/** @file The library's face: what programs may import from "softbox". */
export { type Engine, inspectEngines, useEngine } from "./engine/engine.ts";
export { SandboxError } from "./engine/errors.ts";
export { generateText as generate, type TextOptions, type TokenWithText } from "./experiments/generateText.ts";
export { type LoadOptions, loadModel } from "./experiments/loadModel.ts";
export { type LoadedRun, loadRun } from "./experiments/loadRun.ts";
export { scoreTokens, type TokenScore } from "./experiments/scoreText.ts";
export { type ModelConfig, parseModelConfig } from "./lm/config.ts";
export { createModel, type LanguageModel, type NextToken } from "./lm/model.ts";
export { createReader, type Reader } from "./lm/reader.ts";
export { type Beam, searchBeams } from "./sampling/beam.ts";
export { describeNext, describeOutlook, type NextDistribution, type Outlook } from "./sampling/distribution.ts";
export { type GeneratedToken, generate as generateIds } from "./sampling/generate.ts";
export { parseSamplingSettings, type SamplingSettings } from "./sampling/settings.ts";
export { createStreamDecoder, createTokenizer, type Tokenizer, tokenizerFromJson } from "./text/tokenizer.ts";
