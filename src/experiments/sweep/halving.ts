/**
 * @file Successive halving (Jamieson and Talwalkar 2016, https://arxiv.org/abs/1502.07943): all points train for a few steps, the
 * better share goes on for η times as many, and so on; the last rung has all steps. Time goes to what promises most.
 */

/** Steps at the end of each rung; one rung where nothing is halved. */
export function rungsOf(steps: number, points: number, eta: number | undefined): number[] {
  if (eta === undefined) return [steps];
  const halvings = Math.max(0, Math.floor(Math.log(points) / Math.log(eta) + 1e-9));
  const rungs = Array.from({ length: halvings + 1 }, (_, i) => Math.ceil(steps / eta ** (halvings - i)));
  return [...new Set(rungs)];
}

/**
 * The points that go on: the best 1/η of them, at least one, in their old order.
 *
 * @param scores - loss of each; what is not finite goes on in no case.
 */
export function survivors<T>(scores: ReadonlyMap<T, number>, eta: number): T[] {
  const finite = [...scores].filter(([, score]) => Number.isFinite(score));
  const kept = [...finite].sort(([, a], [, b]) => a - b).slice(0, Math.ceil(scores.size / eta));
  const names = new Set(kept.map(([point]) => point));
  return finite.map(([point]) => point).filter((point) => names.has(point));
}
