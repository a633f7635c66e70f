/** @file Leases of the trials at work: each aborts when it is lost, or when it could not be renewed for its whole length. */

export interface Lease {
  /** Aborts when the lease is lost or the outer signal aborts. */
  readonly signal: AbortSignal;
  isLost(): boolean;
  end(): void;
}

export interface Leases {
  begin(id: string, outer: AbortSignal): Lease;
  /** Renewed, as Redis says. */
  readonly renew: (ids: readonly string[]) => void;
  /** Given to others, as Redis says. */
  readonly lose: (ids: readonly string[]) => void;
  /** For how long there has been none. */
  idleMilliseconds(): number;
  /** When none is left. */
  allEnded(): Promise<void>;
  close(): void;
}

/** @param milliseconds - how long a lease lasts that nobody renews. */
export function createLeases(milliseconds: number): Leases {
  const held = new Map<string, { readonly loss: AbortController; renewedAt: number }>();
  const waiting: (() => void)[] = [];
  let idleSince = performance.now();
  const look = (): void => {
    for (const { loss, renewedAt } of held.values()) if (performance.now() - renewedAt > milliseconds) loss.abort();
  };
  const timer = setInterval(look, milliseconds / 10);
  timer.unref();
  return {
    begin: (id, outer) => {
      const lease = { loss: new AbortController(), renewedAt: performance.now() };
      held.set(id, lease);
      return {
        signal: AbortSignal.any([outer, lease.loss.signal]),
        isLost: () => lease.loss.signal.aborted,
        end: () => {
          if (held.get(id) === lease) held.delete(id);
          if (held.size > 0) return;
          idleSince = performance.now();
          for (const wake of waiting.splice(0)) wake();
        },
      };
    },
    renew: (ids) => {
      for (const id of ids) {
        const lease = held.get(id);
        if (lease) lease.renewedAt = performance.now();
      }
    },
    lose: (ids) => {
      for (const id of ids) held.get(id)?.loss.abort();
    },
    idleMilliseconds: () => (held.size > 0 ? 0 : performance.now() - idleSince),
    allEnded: () => new Promise((end) => (held.size === 0 ? end() : void waiting.push(end))),
    close: () => clearInterval(timer),
  };
}
