/** @file Our own kernels in C++ under a tfjs backend; compiled at install, or here at first use. */
import { compileAddon, loadAddon, nativeStatus, setPrecision } from "../native/addon.ts";
import { registerNativeBackend } from "../native/backend.ts";
import type { Inspection, Rung } from "./ladder.ts";

type Usable = Extract<ReturnType<typeof nativeStatus>, { usable: true }>;

const describe = ({ chosen, precision, threads }: Usable): string =>
  [chosen, ...(precision === "float32" ? [] : [precision]), `${threads} thread${threads === 1 ? "" : "s"}`].join(", ");

async function inspect(): Promise<Inspection> {
  const status = nativeStatus();
  if (!status.usable) return { usable: false, reason: status.reason, hint: status.hint };
  return { usable: true, gpu: false, details: describe(status) };
}

export const nativeRung: Rung = {
  name: "native",
  precisions: ["bfloat16"],
  inspect: async ({ onLine = () => {} }) => {
    await compileAddon(onLine);
    return inspect();
  },
  start: async ({ threads, precision = "float32" }) => {
    registerNativeBackend(threads === undefined ? {} : { threads });
    setPrecision(precision);
    const status = nativeStatus();
    if (!status.usable) throw new Error(`native engine: registered, but ${status.reason}`);
    return { backendName: "native", details: describe(status), scorePasses: loadAddon() };
  },
};
