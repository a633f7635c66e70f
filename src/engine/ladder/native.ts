/** @file Our own kernels in C++ under a tfjs backend; compiled at install, or here at first use. */
import { compileAddon, nativeStatus } from "../native/addon.ts";
import { registerNativeBackend } from "../native/backend.ts";
import type { Inspection, Rung } from "./ladder.ts";

const describe = (instructions: string, threads: number): string =>
  `${instructions}, ${threads} thread${threads === 1 ? "" : "s"}`;

async function inspect(): Promise<Inspection> {
  const status = nativeStatus();
  if (!status.usable) return { usable: false, reason: status.reason, hint: status.hint };
  return { usable: true, gpu: false, details: describe(status.chosen, status.threads) };
}

export const nativeRung: Rung = {
  name: "native",
  inspect: async ({ onLine = () => {} }) => {
    await compileAddon(onLine);
    return inspect();
  },
  start: async ({ threads }) => {
    registerNativeBackend(threads === undefined ? {} : { threads });
    const status = nativeStatus();
    if (!status.usable) throw new Error(`native engine: registered, but ${status.reason}`);
    return { backendName: "native", details: describe(status.chosen, status.threads) };
  },
};
