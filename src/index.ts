/** @file The library's face: what programs may import from "softbox". */
export { type Engine, inspectEngines, useEngine } from "./engine/engine.ts";
export { SandboxError } from "./engine/errors.ts";
export { type LoadedRun, loadRun } from "./experiments/loadRun.ts";
export { type ModelConfig, parseModelConfig } from "./lm/config.ts";
export { createModel, type LanguageModel, type NextToken } from "./lm/model.ts";
export { describeNext, type NextDistribution } from "./sampling/distribution.ts";
export { type GeneratedToken, generate } from "./sampling/generate.ts";
export { parseSamplingSettings, type SamplingSettings } from "./sampling/settings.ts";
export { createStreamDecoder, createTokenizer, type Tokenizer, tokenizerFromJson } from "./text/tokenizer.ts";
