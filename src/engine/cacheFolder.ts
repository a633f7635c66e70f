/** @file Where softbox keeps what it can make or fetch again: token ids, libraries of engines. */
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** `$SOFTBOX_CACHE`, else softbox's folder where this system keeps caches. */
export function defaultCacheFolder(): string {
  const { SOFTBOX_CACHE, XDG_CACHE_HOME } = process.env;
  if (SOFTBOX_CACHE) return SOFTBOX_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "softbox");
  return join(homeFolder(), process.platform === "darwin" ? "Library/Caches" : ".cache", "softbox");
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return tmpdir(); // a user without a home, as in some containers
  }
}
