/** @file Ctrl-C while something trains: the first stops it in good order, the second at once. */
import { note } from "./output.ts";

/**
 * The first Ctrl-C or SIGTERM aborts the signal, so that work stops where it can be saved; a second one ends the process.
 *
 * @param doing - what the first one leads to, as the user is told.
 */
export function stopOnSignals(doing: string): { readonly signal: AbortSignal; readonly release: () => void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    note(`${doing} (again to stop at once)`);
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const release = (): void => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
  return { signal: stop.signal, release };
}
