// `softbox eval --mc-dropout` and `--ensemble` as a user meets them.
import { beforeAll, describe, expect, test } from "vitest";
import { softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();

async function good(...args: string[]): Promise<string> {
  const { code, out, err } = await softbox(here, args);
  expect([code, err], args.join(" ")).toEqual([0, ""]);
  return out;
}
const json = async (...args: string[]) =>
  (await good(...args, "--json"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  writeSmallText(here);
  const often = ["--set", "training.checkpointEvery=15", "--set", "training.evaluateEvery=0", "--steps", "30"];
  const train = (run: string, ...more: string[]) => good("train", ...tinyFlags, ...often, "--run", run, ...more);
  await train("checkpoints/a", "--dropout", "0.2", "--learning-rate", "0.01");
  await train("checkpoints/b", "--seed", "5", "--learning-rate", "0.01");
  await train("bytes", "--tokenizer", "byte");
});

/** Decimals differ by machine. */
const steady = (out: string): string => out.replace(/\d+\.\d+/g, "…").replace(/ +…/g, " …");

describe("eval --mc-dropout", () => {
  test("shows the single model beside the averages, the verdict and the split of the entropy", async () => {
    const out = await good("eval", "checkpoints/a", "--mc-dropout", "4");
    expect(steady(out).replace(/(better|worse).* than/g, "… than")).toMatchInlineSnapshot(`
      "4 dropout masks of checkpoints/a@30, on text.txt, validation split: 1,165 tokens
      read in windows of 16 tokens that each begin anew

                                  nats per token  perplexity  bits per byte
      without dropout … … …
      with one mask, on average … … …
      averaged probabilities … … …
      averaged log-probabilities … … …

      NLL after averaging, nats per token, 95 % interval
        probabilities … … than without dropout
        log-probabilities … … than without dropout

      entropy … = … expected + … mutual information, nats per token
      "
    `);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("--json: the entropy is the sum of its parts, the single model's loss that of eval, the change their difference", async () => {
    const [result] = await json("eval", "checkpoints/a", "--mc-dropout", "4");
    const [plain] = await json("eval", "checkpoints/a");
    expect(result.singleNll).toBeCloseTo(plain.nats, 5);
    expect(result.predictiveEntropy).toBeCloseTo(result.expectedEntropy + result.mutualInformation, 9);
    expect(result.changes[0]).toMatchObject({ averaging: "probability", rival: "single" });
    expect(result.changes[0].value).toBeCloseTo(result.probabilityNll - plain.nats, 5);
    expect(result.memberNlls).toHaveLength(4);
    expect(await json("eval", "checkpoints/a", "--mc-dropout", "4")).toEqual([result]);
    const [other] = await json("eval", "checkpoints/a", "--mc-dropout", "4", "--seed", "2");
    expect(other.probabilityNll).not.toBe(result.probabilityNll);
  });

  test("--per-token: a line a token, whose means are those of the last line", async () => {
    const lines = await json("eval", "checkpoints/a", "--mc-dropout", "3", "--max-tokens", "64", "--per-token");
    const result = lines.pop();
    expect(lines).toHaveLength(result.tokens);
    for (const name of ["mutualInformation", "probabilityNll", "singleNll"])
      expect(lines.reduce((sum, token) => sum + token[name], 0) / lines.length).toBeCloseTo(result[name], 9);
    const shown = await good("eval", "checkpoints/a", "--mc-dropout", "3", "--max-tokens", "64", "--per-token");
    expect(shown.split("\n").filter((line) => /^( +\d+\.\d{3}){4} {2}\S/.test(line))).toHaveLength(64);
  });
});

describe("eval --ensemble", () => {
  test("each member's loss is its own, the average never worse than the mean; the best member is named", async () => {
    const [result] = await json("eval", "--ensemble", "checkpoints/a", "checkpoints/b");
    for (const [m, run] of ["checkpoints/a", "checkpoints/b"].entries())
      expect(result.memberNlls[m]).toBeCloseTo((await json("eval", run))[0].nats, 5);
    expect(result.memberNll).toBeCloseTo((result.memberNlls[0] + result.memberNlls[1]) / 2, 9);
    expect(result.probabilityNll).toBeLessThanOrEqual(result.memberNll);
    const out = await good("eval", "checkpoints/a", "--ensemble", "checkpoints/b");
    const best = result.memberNlls[0] < result.memberNlls[1] ? "a" : "b";
    expect(out).toContain(`than checkpoints/${best}@30, the best member\n`);
    expect(out).toContain(`${result.probabilityNll.toFixed(4)}`);
  });

  test("checkpoints of one run are members too", async () => {
    const [result] = await json("eval", "--ensemble", "checkpoints/b@15", "checkpoints/b@30", "--max-tokens", "100");
    expect(result.runs).toEqual([
      { run: "checkpoints/b", step: 15 },
      { run: "checkpoints/b", step: 30 },
    ]);
    const [early] = await json("eval", "checkpoints/b", "--step", "15", "--max-tokens", "100");
    expect(result.memberNlls[0]).toBeCloseTo(early.nats, 5);
  });
});

test.each([
  [["checkpoints/b", "--mc-dropout", "4"], "--mc-dropout: checkpoints/b was trained without dropout"],
  [["checkpoints/a", "--mc-dropout", "1"], '--mc-dropout: expected a whole number from 2 to 10000, got "1"'],
  [["--ensemble", "checkpoints/a"], "--ensemble: expected at least two members, got checkpoints/a alone"],
  [["--ensemble", "checkpoints/a", "bytes"], "--ensemble: bytes was trained with another tokenizer than checkpoints/a"],
  [["--ensemble", "checkpoints/a", "checkpoints/a@30"], "--ensemble: checkpoints/a@30 is named twice"],
  [["--ensemble", "checkpoints/a", "nowhere"], "run nowhere: there is no such folder"],
  [["--ensemble", "checkpoints/a", "checkpoints/b@7"], 'run checkpoints/b: there is no checkpoint "7"'],
  [["checkpoints/a", "--mc-dropout", "4", "--dynamic"], "eval: --dynamic and --mc-dropout do not go together"],
  [["checkpoints/a", "--per-token"], "eval: --per-token needs --mc-dropout or --ensemble"],
])("eval %j is refused", async (args, message) => {
  const { code, out, err } = await softbox(here, ["eval", ...args]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(`error: ${message}`);
  expect(err).toMatch(/\nhint: .+\n$/);
});
