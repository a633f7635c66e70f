/** @file Whether an NVIDIA GPU is here, asked of the driver's files alone: no library is loaded. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where NVIDIA's driver lists its cards, and its device files; WSL has a library instead. */
const places = { cards: "/proc/driver/nvidia/gpus", devices: "/dev", wsl: "/usr/lib/wsl/lib/libcuda.so.1" };

/**
 * Model names of the cards whose device files are here, such as `NVIDIA H200`; a container sees only those that it was given.
 */
export function nvidiaCards(at: typeof places = places): string[] {
  const devices = list(at.devices).filter((name) => /^nvidia\d+$/.test(name));
  if (devices.length === 0) return existsSync(at.wsl) && list(at.devices).includes("dxg") ? ["NVIDIA GPU"] : [];
  const models = list(at.cards).map((card) => modelOf(join(at.cards, card, "information")));
  return devices.map((_, i) => models[i] ?? "NVIDIA GPU");
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function modelOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8")
      .match(/^Model:\s*(.+)$/m)?.[1]
      ?.trim();
  } catch {
    return undefined;
  }
}
