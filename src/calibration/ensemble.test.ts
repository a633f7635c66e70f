// Members of an ensemble against sums written out over probabilities; intervals of paired differences; averages as predictions.
import { describe, expect, test } from "vitest";
import { createRandomStream, randomKey } from "../engine/random.ts";
import { averaged, averagings, type EnsemblePredictions, measureEnsemble } from "./ensemble.ts";
import { measure } from "./measure.ts";

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** `[members][tokens][V]` probabilities, and targets drawn from the first member. */
function drawn(members: number, tokens: number, V: number, seed: number) {
  const random = createRandomStream(randomKey(seed, "members"));
  const row = (): number[] => {
    const powers = Array.from({ length: V }, () => Math.exp(1.5 * random.normal()));
    return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
  };
  const p = Array.from({ length: members }, () => Array.from({ length: tokens }, row));
  const targets = p[0]!.map((first) => {
    const point = random.uniform();
    const upTo = first.map((_, v) => first.slice(0, v + 1).reduce((a, b) => a + b, 0));
    return Math.max(
      0,
      upTo.findIndex((sum) => sum > point),
    );
  });
  return { p, targets };
}

const logs = (rows: readonly (readonly number[])[]): Float64Array => Float64Array.from(rows.flat(), Math.log);

/** In batches of `size`; with `single` the first member stands apart. */
function source({ p, targets }: ReturnType<typeof drawn>, size: number, single = false): EnsemblePredictions {
  const members = single ? p.slice(1) : p;
  return {
    classes: p[0]![0]!.length,
    count: targets.length,
    batches: function* () {
      for (let start = 0; start < targets.length; start += size) {
        const part = (rows: number[][]): Float64Array => logs(rows.slice(start, start + size));
        yield {
          members: members.map(part),
          ...(single ? { single: part(p[0]!) } : {}),
          targets: Int32Array.from(targets.slice(start, start + size)),
        };
      }
    },
  };
}

/** NLL of the two averages, over probabilities themselves. */
function nllsOf({ p, targets }: ReturnType<typeof drawn>) {
  const of = (row: (n: number) => number[]): number => mean(targets.map((y, n) => -Math.log(row(n)[y]!)));
  const arithmetic = (n: number): number[] => p[0]![n]!.map((_, v) => mean(p.map((rows) => rows[n]![v]!)));
  const geometric = (n: number): number[] => {
    const roots = p[0]![n]!.map((_, v) => p.reduce((product, rows) => product * rows[n]![v]!, 1) ** (1 / p.length));
    return roots.map((root) => root / roots.reduce((a, b) => a + b, 0));
  };
  const entropy = (row: number[]): number => -row.reduce((sum, share) => sum + share * Math.log(share), 0);
  return {
    members: p.map((rows) => of((n) => rows[n]!)),
    probability: of(arithmetic),
    logProbability: of(geometric),
    predictiveEntropy: mean(targets.map((_, n) => entropy(arithmetic(n)))),
    expectedEntropy: mean(p.map((rows) => mean(rows.map(entropy)))),
  };
}

describe("members of an ensemble", () => {
  const data = drawn(3, 200, 5, 1);
  const wanted = nllsOf(data);

  test("means, NLL of each member and of both averages agree with sums over probabilities, however the text is cut", async () => {
    const results = [await measureEnsemble(source(data, 200)), await measureEnsemble(source(data, 7))];
    expect(results[1]).toEqual(results[0]);
    const { count, means, memberNlls, singleNll } = results[0]!;
    expect([count, singleNll]).toEqual([200, undefined]);
    for (const [m, nll] of memberNlls.entries()) expect(nll).toBeCloseTo(wanted.members[m]!, 12);
    expect(means.probabilityNll).toBeCloseTo(wanted.probability, 12);
    expect(means.logProbabilityNll).toBeCloseTo(wanted.logProbability, 12);
    expect(means.memberNll).toBeCloseTo(mean(wanted.members), 12);
    expect(means.predictiveEntropy).toBeCloseTo(wanted.predictiveEntropy, 12);
    expect(means.expectedEntropy).toBeCloseTo(wanted.expectedEntropy, 12);
    expect(means.mutualInformation).toBeCloseTo(wanted.predictiveEntropy - wanted.expectedEntropy, 12);
  });

  test("an average is compared with the best member and with the mean of all", async () => {
    const { changes } = await measureEnsemble(source(data, 50));
    const best = Math.min(...wanted.members);
    expect(best).toBe(wanted.members[0]); // targets follow the first
    expect(changes.map(({ averaging, rival }) => [averaging, rival])).toEqual([
      ["probability", "bestMember"],
      ["logProbability", "bestMember"],
      ["probability", "meanMember"],
      ["logProbability", "meanMember"],
    ]);
    const against = [best, best, mean(wanted.members), mean(wanted.members)];
    for (const [i, { averaging, change }] of changes.entries()) {
      expect(change.value).toBeCloseTo(wanted[averaging] - against[i]!, 12);
      expect(change.lower).toBeLessThan(change.value);
      expect(change.upper).toBeGreaterThan(change.value);
    }
    expect(changes[0]!.change.lower).toBeGreaterThan(0); // two members that know nothing make the one that knows worse
    expect(changes[2]!.change.upper).toBeLessThan(0); // and nobody is worse than the members on average
  });

  test("a single model stands beside the members, and is not averaged", async () => {
    const { memberNlls, means, singleNll, changes } = await measureEnsemble(source(data, 50, true));
    const others = nllsOf({ ...data, p: data.p.slice(1) });
    expect(memberNlls).toHaveLength(2);
    expect(means.probabilityNll).toBeCloseTo(others.probability, 12);
    expect(singleNll).toBeCloseTo(wanted.members[0]!, 12);
    expect(changes.map(({ rival }) => rival)).toEqual(["single", "single"]);
    expect(changes[0]!.change.value).toBeCloseTo(others.probability - wanted.members[0]!, 12);
  });

  test("every token is told, and their means are those of the text", async () => {
    const told: number[] = [];
    const { means } = await measureEnsemble(source(data, 9), {
      draws: 0,
      onToken: ({ mutualInformation }) => told.push(mutualInformation),
    });
    expect(told).toHaveLength(200);
    expect(mean(told)).toBeCloseTo(means.mutualInformation, 12);
  });

  test.each(averagings)(
    "the average of %s is a source of normalised predictions with the same NLL",
    async (averaging) => {
      const predictions = averaged(source(data, 30), averaging);
      for await (const { logProbs, targets } of predictions.batches())
        for (const n of targets.keys())
          expect(
            Float64Array.from(logProbs.subarray(n * 5, n * 5 + 5), Math.exp).reduce((a, b) => a + b, 0),
          ).toBeCloseTo(1, 12);
      expect((await measure(predictions, undefined, { draws: 0 })).metrics.nll.value).toBeCloseTo(
        wanted[averaging],
        12,
      );
    },
  );
});

test("the interval of a difference is that of paired tokens, far narrower than those of its parts", async () => {
  // Two members that differ by a hundredth everywhere: how hard a token is cancels out.
  const { p, targets } = drawn(1, 2000, 5, 2);
  const near = p[0]!.map((row) => row.map((share) => 0.99 * share + 0.01 / 5));
  const { changes } = await measureEnsemble(source({ p: [p[0]!, near], targets }, 100));
  const { nll } = (await measure(averaged(source({ p, targets }, 100), "probability"))).metrics;
  const widthOf = ({ lower, upper }: { lower: number; upper: number }): number => upper - lower;
  expect(widthOf(changes[0]!.change)).toBeLessThan(0.05 * widthOf(nll));
});
