/** @file The memory of this process: its peak, and how far the peak rose over what was there before the first step. */
import { readFileSync, writeFileSync } from "node:fs";

const mebi = 2 ** 20;

/** A field of /proc/self/status in MiB; nothing where the system has no such file. */
function status(field) {
  try {
    const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"));
    return Number(line[1]) / 1024;
  } catch {
    return undefined;
  }
}

const peak = () => status("VmHWM") ?? process.resourceUsage().maxRSS / 1024;
const present = () => status("VmRSS") ?? process.memoryUsage.rss() / mebi;

/** Forgets the peak so far, where the system can (Linux). */
function resetPeak() {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // the peak then includes the start, and the extra memory is an upper bound
  }
}

/** Starts to measure: call it when inputs and parameters are there and the first step is not. */
export function createMemoryMeter() {
  globalThis.gc?.();
  const before = present();
  const startPeak = peak();
  resetPeak();
  return {
    read: () => {
      const now = peak();
      return { peakMemoryMiB: Math.max(startPeak, now), extraMemoryMiB: Math.max(0, now - before) };
    },
  };
}
