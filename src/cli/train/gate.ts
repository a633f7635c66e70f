/** @file Where a run waits while it is paused. A save passes it once; a stop opens it for good. */

export interface Gate {
  pause(): void;
  resume(): void;
  /** Lets the run through to its next checkpoint, paused or not. */
  save(): void;
  stop(): void;
  /** Whether a checkpoint has been asked for and not been told yet. */
  isSaveWanted(): boolean;
  readonly signal: AbortSignal;
  /** Waits while the run is paused. `saved`: it has just been saved, so a save has nothing to do. */
  pass(saved: boolean): Promise<void>;
}

export function createGate(): Gate {
  const stop = new AbortController();
  let paused = false;
  let saveWanted = false;
  let open: (() => void) | undefined;
  const goOn = (): void => {
    open?.();
    open = undefined;
  };
  return {
    signal: stop.signal,
    isSaveWanted: () => saveWanted,
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      goOn();
    },
    save: () => {
      saveWanted = true;
      goOn();
    },
    stop: () => {
      stop.abort();
      goOn();
    },
    pass: async (saved) => {
      if (saved) saveWanted = false;
      while (paused && !saveWanted && !stop.signal.aborted)
        await new Promise<void>((resolve) => {
          open = resolve;
        });
    },
  };
}
