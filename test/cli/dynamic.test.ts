// `softbox eval --dynamic` as a user meets it: beside the plain loss, at a rate that is not chosen on what is judged.
import { beforeAll, expect, test } from "vitest";
import { softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();

async function good(...args: string[]): Promise<{ out: string; err: string }> {
  const { code, out, err } = await softbox(here, args);
  expect(code, err).toBe(0);
  return { out, err };
}
const json = async (...args: string[]) => JSON.parse((await good("eval", ...args, "--json")).out);

beforeAll(async () => {
  writeSmallText(here);
  const splits = ["--set", "splits.train=0.8", "--set", "splits.validation=0.1", "--set", "splits.calibration=0.1"];
  await good("train", ...tinyFlags, "--run", "checkpoints/whole", "--steps", "30", "--learning-rate", "0.01");
  await good("train", ...tinyFlags, ...splits, "--run", "split", "--steps", "30", "--learning-rate", "0.01");
});

test("the rate is the best of several on the calibration split, never on what is judged", async () => {
  const { text, static: plain, dynamic } = await json("split", "--dynamic");
  expect(text).toBe("text.txt, validation split");
  const { tuning, rate, tokens } = dynamic;
  expect(tuning).toMatchObject({ text: "text.txt, calibration split", tokens: expect.any(Number) });
  const losses: number[] = tuning.tried.map(({ nats }: { nats: number }) => nats);
  expect(tuning.tried[losses.indexOf(Math.min(...losses))].rate).toBe(rate);
  const given = await json("split", "--dynamic", "--dynamic-rate", String(rate));
  expect(given.dynamic.nats).toBe(dynamic.nats);
  expect(given.static).toEqual(plain);
  expect([tokens, given.dynamic.tuning]).toEqual([plain.tokens, undefined]);
  const other = await json(
    "split",
    "--split",
    "calibration",
    "--dynamic",
    "--dynamic-rate",
    String(rate),
    "--max-tokens",
    String(tuning.tokens),
  );
  expect(other.dynamic.nats).toBe(Math.min(...losses));
});

test("without a calibration split the first fifth of the text is kept for choosing, and not judged", async () => {
  const { out, err } = await good("eval", "--dynamic", "--dynamic-decay", "0.01");
  expect(err).toMatch(/^choosing the rate on text.txt, validation split, first fifth: 232 tokens\n$/);
  const lines = out.split("\n");
  expect(lines[0]).toBe(
    "checkpoints/whole, step 30, on text.txt, validation split, but for its first fifth: 932 tokens",
  );
  expect(lines[1]).toMatch(/^ {19}static {3}dynamic$/);
  expect(lines[2]).toMatch(/^nats per token {5}\d\.\d{4} {4}\d\.\d{4}$/);
  expect(lines[5]).toMatch(
    /^rate 0\.\d+, decay 0.01; the rate was chosen on other text, text.txt, validation split, first fifth:$/,
  );
  expect(lines[6]).toMatch(/^0.0003 \d\.\d{4} · 0.001 \d\.\d{4} · 0.003 \d\.\d{4} · 0.01 \d\.\d{4} · 0.03 \d\.\d{4}$/);
});

test("at rate 0 and on a given rate nothing is chosen; decay 1 goes all the way back each time", async () => {
  const still = await json("split", "--dynamic", "--dynamic-rate", "0", "--max-tokens", "200");
  expect(still.dynamic.nats).toBeCloseTo(still.static.nats, 6);
  expect(still.dynamic).toMatchObject({ rate: 0, decay: 0.001, tokens: 200 });
  const { out } = await good("eval", "split", "--dynamic", "--dynamic-rate", "0.01", "--max-tokens", "200");
  expect(out).toContain("\nrate 0.01, as given; decay 0.001\n");
  const [held, free] = [await rateOne("1"), await rateOne("0")];
  expect(held.dynamic.nats).not.toBe(free.dynamic.nats);
});

const rateOne = (decay: string) =>
  json("split", "--dynamic", "--dynamic-rate", "0.1", "--dynamic-decay", decay, "--max-tokens", "200");

test.each([
  [["split", "--dynamic-rate", "0.1"], "eval: --dynamic-rate and --dynamic-decay need --dynamic"],
  [["split", "--dynamic", "--dynamic-rate", "much"], '--dynamic-rate: expected a number, got "much"'],
  [["split", "--dynamic", "--dynamic-rate", "-1"], "dynamic rate: must be a number of at least 0, got -1"],
  [["split", "--dynamic", "--dynamic-decay", "2"], "dynamic decay: must lie from 0 to 1, got 2"],
  [["split", "--dynamic", "--calibrated"], "eval: --calibrated and --dynamic do not go together"],
  [
    ["split", "--dynamic", "--dynamic-rate", "1e30"],
    "dynamic evaluation: the loss must stay a number, but was none after",
  ],
])("eval %j is refused", async (args, message) => {
  const { code, out, err } = await softbox(here, ["eval", ...args]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(`error: ${message}`);
  expect(err).toMatch(/\nhint: .+\n$/);
});
