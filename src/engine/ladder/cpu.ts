/** @file tfjs's plain JavaScript backend: always there, slow, the reference of the others. */
import type { Rung } from "./ladder.ts";

export const cpuRung: Rung = {
  name: "cpu",
  inspect: async () => ({ usable: true, gpu: false, details: "plain JavaScript" }),
  start: async () => ({ backendName: "cpu", details: "plain JavaScript" }),
};
