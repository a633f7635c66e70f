import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { nvidiaCards } from "./gpu.ts";

const folder = temporaryFolder();
const at = (name: string) => {
  const places = {
    cards: join(folder, name, "gpus"),
    devices: join(folder, name, "dev"),
    wsl: join(folder, name, "cuda"),
  };
  for (const path of [places.cards, places.devices]) mkdirSync(path, { recursive: true });
  return places;
};

test("cards are those that have both a device file and, for their name, the driver's entry", () => {
  const places = at("two");
  for (const name of ["nvidia0", "nvidia1", "nvidiactl", "null"]) writeFileSync(join(places.devices, name), "");
  mkdirSync(join(places.cards, "0000:01:00.0"));
  writeFileSync(join(places.cards, "0000:01:00.0/information"), "Model: \t\t NVIDIA H200\nIRQ: 5\n");
  expect(nvidiaCards(places)).toEqual(["NVIDIA H200", "NVIDIA GPU"]);
});

test("a driver without a device, as in a container, is no card; nor is nothing at all", () => {
  const places = at("none");
  mkdirSync(join(places.cards, "0000:01:00.0"));
  expect(nvidiaCards(places)).toEqual([]);
  expect(nvidiaCards({ cards: "/nowhere", devices: "/nowhere", wsl: "/nowhere" })).toEqual([]);
});

test("under WSL the library of the Windows driver tells", () => {
  const places = at("wsl");
  writeFileSync(places.wsl, "");
  expect(nvidiaCards(places)).toEqual([]);
  writeFileSync(join(places.devices, "dxg"), "");
  expect(nvidiaCards(places)).toEqual(["NVIDIA GPU"]);
});
