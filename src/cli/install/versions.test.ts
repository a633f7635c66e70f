import { expect, test } from "vitest";
import { compareVersions, satisfies } from "./versions.ts";

test.each([
  ["2.9", "2.10", -1],
  ["12.5.3.2", "12.5.3", 1],
  ["2.21", "2.21.0", 0],
  ["1.0.post1", "1.0", 1],
  ["2.21.0rc1", "0.1", -1], // no final release: below all of them
])("%s against %s", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});

test.each([
  ["12.9.3", "<13.0,>=12.5.3.2", true],
  ["12.5.3.1", "<13.0,>=12.5.3.2", false],
  ["13.0", "<13.0,>=12.5", false],
  ["2.21.0", "==2.21.0", true],
  ["2.21.0rc0", "==2.21.0", false],
  ["2.21.0", "~=2.21", false], // a sign that is not known is not satisfied
])("%s of %s: %s", (version, wanted, fits) => {
  expect(satisfies(version, wanted)).toBe(fits);
});
