import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { cliprpn } from "../helpers/cli.ts";

test.each<[string[], string]>([
  [["swep", "x"], "swep: there is no such command. Did you mean sweep?"],
  [["frobnicate"], "frobnicate: there is no such command. `cliprpn --help` lists the commands"],
  [[], "Which command? `cliprpn --help` lists the commands."],
  [["sweep"], "expected cliprpn sweep <file>. `cliprpn sweep --help` tells more"],
  [["ground", "a.png"], "expected cliprpn ground <image> <sentence>"],
  [["sweep", "a.json", "--wrkers", "2"], "--wrkers: there is no such option. Did you mean --workers?"],
  [["train", "a.json", "--settng=film"], "--settng: there is no such option. Did you mean --setting?"],
  [["sweep", "a.json", "b.json"], "b.json: one argument too many, expected cliprpn sweep <file>"],
  [
    ["evaluate", "x", "--split", "tset"],
    '--split: expected one of "train", "val", "test", "testA", "testB", found "tset"',
  ],
  [["sweep", "a.json", "--workers", "many"], "--workers: expected a whole number, at least 1"],
  [["sweep", "a.json", "--workers", "0"], "--workers: expected a whole number, at least 1"],
  [["train", "a.json", "--seed", "1.5"], "--seed: expected a whole number, at least 0"],
  [["sweep", "a.json", "--workers"], "--workers: expected a value, found none"],
  [
    ["sweep", "a.json", "--device", "cpu", "--device", "cuda"],
    "--device: expected it once, found cpu and cuda",
  ],
  [["evaluate", "x", "--split-by", "umd"], "x: expected a trial's folder"],
])("%j is refused in a line that helps", async (argv, expected) => {
  const { code, out, err } = await cliprpn(argv, tmpdir());
  expect(err).toContain(expected);
  expect(err).not.toMatch(/\n\s+at /);
  expect({ code, out }).toEqual({ code: 2, out: "" });
});

test("experiments that ship are found from anywhere, unless there is a file of that name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-words-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dry = ["sweep", "experiments/smoke.json", "--dry-run"];
  const shipped = await cliprpn(dry, folder);
  expect(shipped).toMatchObject({ code: 0, out: expect.stringContaining("2 trials, smoke-") });
  expect(shipped.err).toMatch(/shipped with cliprpn: \/.*\/experiments\/smoke\.json/);
  mkdirSync(join(folder, "experiments"));
  writeFileSync(join(folder, "experiments/smoke.json"), "{}");
  expect((await cliprpn(dry, folder)).err).toMatch(/^experiments\/smoke\.json:1:1/);
  const none = await cliprpn(["sweep", "experiments/none.json", "--dry-run"], folder);
  expect(none.err).toContain("experiments/none.json: expected an experiment file, found none");
});

test("--set takes one value, and leaves the file alone", async () => {
  const { err } = await cliprpn(["sweep", "--set", "training.num_epochs=2", "a.json"], tmpdir());
  expect(err).toContain("a.json: expected an experiment file, found none");
});

test.each([
  [],
  ["sweep"],
  ["train"],
  ["report"],
  ["evaluate"],
  ["ground"],
  ["init"],
  ["schema"],
  ["import"],
  ["golden"],
  ["setup"],
  ["doctor"],
])("the help of %s fits 100 columns", async (...command) => {
  const { code, out } = await cliprpn([...command, "--help"], tmpdir());
  expect(code).toBe(0);
  expect(out).toContain(["cliprpn", ...command].join(" "));
  for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("init writes a file that is accepted as it is and points to the schema from its folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-init-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { code, out } = await cliprpn(["init", "sub/mine.json"], folder);
  expect({ code, out }).toEqual({ code: 0, out: "sub/mine.json\n" });
  const { settings } = readExperiment("sub/mine.json", [], folder);
  expect(settings).toHaveLength(3);
  const text = readFileSync(join(folder, "sub/mine.json"), "utf8");
  const schema = /"\$schema": "([^"]+)"/.exec(text)?.[1] ?? "";
  expect(schema).toMatch(/^\./);
  const printed = (await cliprpn(["schema"], folder)).out.trim();
  expect(resolve(folder, "sub", schema)).toBe(printed);
  expect(JSON.parse(readFileSync(printed, "utf8"))).toHaveProperty("$defs.Experiment");
});

test("init overwrites nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-init-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await cliprpn(["init"], folder);
  const { code, err } = await cliprpn(["init"], folder);
  expect(code).toBe(2);
  expect(err).toContain("experiment.json: there is such a file already");
});
