import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../src/commands/table.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { cliprpn } from "../helpers/cli.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** A command line, and what its error names: the problem, the closest name, where to find help. */
test.each<[string[], string[]]>([
  [
    ["swep", "x"],
    ["swep", "Did you mean sweep?"],
  ],
  [["frobnicate"], ["frobnicate", "`cliprpn --help`"]],
  [[], ["`cliprpn --help`"]],
  [["sweep"], ["expected cliprpn sweep <file>", "`cliprpn sweep --help`"]],
  [["ground", "a.png"], ["expected cliprpn ground <image> <sentence>"]],
  [
    ["sweep", "a.json", "--wrkers", "2"],
    ["--wrkers", "Did you mean --workers?"],
  ],
  [
    ["train", "a.json", "--settng=film"],
    ["--settng", "Did you mean --setting?"],
  ],
  [
    ["sweep", "a.json", "b.json"],
    ["b.json", "expected cliprpn sweep <file>"],
  ],
  [
    ["evaluate", "x", "--split", "tset"],
    ["--split", 'one of "train", "val", "test", "testA", "testB"', '"tset"'],
  ],
  [
    ["sweep", "a.json", "--accept-stale", "--rerun-stale"],
    ["--accept-stale", "--rerun-stale", "both"],
  ],
  [
    ["sweep", "a.json", "--workers", "many"],
    ["--workers", "auto", "whole number", "at least 1", "many"],
  ],
  [
    ["sweep", "a.json", "--workers", "0"],
    ["--workers", "whole number", "at least 1"],
  ],
  [
    ["train", "a.json", "--seed", "1.5"],
    ["--seed", "whole number", "at least 0"],
  ],
  [
    ["sweep", "a.json", "--workers"],
    ["--workers", "value"],
  ],
  [
    ["sweep", "a.json", "--device", "cpu", "--device", "cuda"],
    ["--device", "once", "cpu and cuda"],
  ],
  [
    ["evaluate", "no-such-trial"],
    ["no-such-trial: ", "trial", "runs"],
  ],
  [
    ["evaluate", "x", "--split-by", "umd"],
    ["--split-by", "--dataset"],
  ],
])("%j is a usage error that says what to do", async (argv, parts) => {
  const { code, out, err } = await cliprpn(argv, tempFolder());
  for (const part of parts) expect(err).toContain(part);
  expect(err).not.toMatch(/\n\s+at /);
  expect({ code, out }).toEqual({ code: 2, out: "" });
});

test("shipped experiments are found from any folder, unless a file of that name exists", async () => {
  const folder = tempFolder();
  const dry = ["sweep", "experiments/smoke.json", "--dry-run"];
  const shipped = await cliprpn(dry, folder);
  expect(shipped).toMatchObject({ code: 0, out: expect.stringContaining("2 trials, smoke;") });
  expect(shipped.err).toMatch(/shipped with cliprpn: \/.*\/experiments\/smoke\.json/);
  mkdirSync(join(folder, "experiments"));
  writeFileSync(join(folder, "experiments/smoke.json"), "{}");
  expect((await cliprpn(dry, folder)).err).toMatch(/^experiments\/smoke\.json:1:1/);
  const none = await cliprpn(["sweep", "experiments/none.json", "--dry-run"], folder);
  expect(none.err).toMatch(/experiments\/none\.json: .*none/);
});

test("--set takes exactly one value", async () => {
  const { err } = await cliprpn(["sweep", "--set", "training.num_epochs=2", "a.json"], tmpdir());
  expect(err).toMatch(/\ba\.json: .*none/);
});

test.each([
  [],
  ...commands.map(({ usage }) => usage.split(" ").slice(0, 1)),
])("the help of %s fits 80 columns", async (...command) => {
  const { code, out } = await cliprpn([...command, "--help"], tmpdir());
  expect(code).toBe(0);
  expect(out).toContain(["cliprpn", ...command].join(" "));
  for (const line of out.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
});

test.each(
  commands.flatMap(({ usage, examples = [] }) => examples.map(([example]) => [example, usage] as const)),
)("the help shows the example %s in one line", async (example, usage) => {
  const { out } = await cliprpn([...usage.split(" ").slice(0, 1), "--help"], tmpdir());
  expect(out.split("\n").map((line) => line.trim())).toContain(example.replace("$0", "cliprpn"));
});

test("init writes a valid file that points to the schema", async () => {
  const folder = tempFolder();
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

test("init overwrites no file", async () => {
  const folder = tempFolder();
  await cliprpn(["init"], folder);
  const { code, err } = await cliprpn(["init"], folder);
  expect(code).toBe(2);
  expect(err).toContain("experiment.json: expected a new file");
});
