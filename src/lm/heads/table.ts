/** @file Every output head there is. A new one is a new file and one line here. */
import { adaptiveHead } from "./adaptive.ts";
import type { HeadConfig } from "./config.ts";
import type { Head } from "./head.ts";
import { mocHead } from "./moc.ts";
import { mosHead } from "./mos.ts";
import { sigmoidHead } from "./sigmoid.ts";
import { sigsoftmaxHead } from "./sigsoftmax.ts";
import { softmaxHead } from "./softmax.ts";

const heads = {
  softmax: softmaxHead,
  mos: mosHead,
  moc: mocHead,
  sigsoftmax: sigsoftmaxHead,
  adaptive: adaptiveHead,
  sigmoid: sigmoidHead,
} satisfies { [K in HeadConfig["kind"]]: unknown };

/** The head that a configuration names. Its parameters fit no other head, hence the erased types. */
export const headOf = (config: HeadConfig): Head<HeadConfig, object> =>
  heads[config.kind] as unknown as Head<HeadConfig, object>;
