import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EngineOptions } from "../../src/contract/generated/types.ts";
import { readQueueOptions, readSlurmOptions } from "../../src/experiment/engine-options.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** A folder with an experiment, and options of the lab unless they are undefined. */
function folderWith(engine: object | undefined, lab?: unknown): string {
  const folder = tempFolder();
  const experiment = { name: "a", question: "Which is best?", ...(engine === undefined ? {} : { engine }) };
  writeFileSync(join(folder, "exp.json"), JSON.stringify(experiment, null, 1));
  mkdirSync(join(folder, "engines"));
  if (lab !== undefined) writeFileSync(join(folder, "engines/lab.json"), JSON.stringify(lab, null, 1));
  return folder;
}

function read(folder: string, { sets = [], file }: { sets?: string[]; file?: string } = {}) {
  const { experiment } = readExperiment("exp.json", sets, folder);
  return readSlurmOptions(experiment, file, folder);
}

test("the experiment comes before the file of the lab, key by key, and --set before both", () => {
  const folder = folderWith({ slurm: { qos: "high", additional_parameters: { nice: 1 } } }, {
    slurm: {
      partition: "gpu",
      qos: "low",
      timeout_min: 10,
      additional_parameters: { nice: 2, exclude: "n1" },
    },
  } satisfies EngineOptions);
  expect(read(folder, { sets: ["engine.slurm.timeout_min=20"] })).toEqual({
    file: "engines/lab.json",
    options: {
      partition: "gpu",
      qos: "high",
      timeout_min: 20,
      additional_parameters: { nice: 1, exclude: "n1" },
    },
  });
});

test("without any options there are none, and no file", () => {
  expect(read(folderWith(undefined))).toEqual({ options: {}, file: undefined });
});

test("another file takes the place of the lab's", () => {
  const folder = folderWith(undefined, { slurm: { partition: "gpu" } });
  writeFileSync(join(folder, "mine.json"), JSON.stringify({ slurm: { setup: ["module load cuda"] } }));
  expect(read(folder, { file: "mine.json" })).toEqual({
    file: "mine.json",
    options: { setup: ["module load cuda"] },
  });
  expect(errorOf(() => read(folder, { file: "none.json" }))).toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/none\.json/),
  });
});

test("each engine has its roots", () => {
  const roots = { "/home/me": "/mnt/me" };
  const folder = folderWith(undefined, { slurm: { roots }, queue: { roots: { "/data": "/d" } } });
  expect(read(folder).options).toEqual({ roots });
  expect(readQueueOptions(undefined, folder).options).toEqual({ roots: { "/data": "/d" } });
  expect(readQueueOptions(undefined, tempFolder())).toEqual({ options: {}, file: undefined });
});

describe("a problem of the options is reported where it is", () => {
  test.each<[what: string, slurm: object, place: RegExp]>([
    [
      "unknown key",
      { partitions: "a" },
      /^exp\.json:6:4 {2}engine\.slurm\.partitions: .* Did you mean partition\?/,
    ],
    [
      "number as text",
      { timeout_min: "60" },
      /^exp\.json:6:19 {2}engine\.slurm\.timeout_min: .* Did you mean 60/,
    ],
    ["name with a space", { partition: "a b" }, /^exp\.json:6:17 .*letters, digits/],
    ["name that looks like an option", { qos: "--wrap=x" }, /^exp\.json:6:11 /],
    ["two GPUs", { gpus_per_node: 2 }, /^exp\.json:6:21 .*\[0, 1\]/],
    ["an option that we set", { additional_parameters: { output: "/x" } }, /^exp\.json:7:5 {2}output: /],
    [
      "the start of an option that we set",
      { additional_parameters: { out: "/x" } },
      /^exp\.json:7:5 {2}out: .*output/,
    ],
    [
      "an option with a name here",
      { additional_parameters: { mem: "4G" } },
      /^exp\.json:7:5 {2}mem: expected mem_gb/,
    ],
    ["no option", { additional_parameters: { "a b": 1 } }, /^exp\.json:7:5 {2}a b: /],
    [
      "a second line",
      { additional_parameters: { comment: "a\n#SBATCH --x" } },
      /^exp\.json:7:16 {2}comment: /,
    ],
    [
      "commands of an experiment",
      { setup: ["rm -r x"] },
      /^exp\.json:6:4 {2}engine\.slurm\.setup: .*lab\.json/,
    ],
    [
      "folders of an experiment",
      { roots: { "/home": "/mnt" } },
      /^exp\.json:6:4 {2}engine\.slurm\.roots: .*lab\.json/,
    ],
  ])("%s", (_, slurm, place) => {
    const error = errorOf(() => read(folderWith({ slurm })));
    expect(error).toMatchObject({ code: "bad_input", message: expect.stringMatching(place) });
    expect(error.message).toMatch(/1 problem/);
  });

  test.each<[what: string, roots: object, place: RegExp]>([
    ["a relative folder", { "/a": "b" }, /^engines\/lab\.json:4:10 .*slurm\.roots/],
    ["a folder with ..", { "/a": "/b/../c" }, /^engines\/lab\.json:4:10 .*absolute path.*\/b\/\.\.\/c/],
    ["a list of folders", { "/a:/b": "/c" }, /^engines\/lab\.json:4:4 .*colons/],
  ])("roots: %s", (_, roots, place) => {
    const error = errorOf(() => read(folderWith(undefined, { slurm: { roots } })));
    expect(error).toMatchObject({ code: "bad_input", message: expect.stringMatching(place) });
  });

  test("in the file of the lab", () => {
    const folder = folderWith(undefined, { slurm: { setup: ["a\nb"], mem_gb: 0 } });
    expect(errorOf(() => read(folder)).message).toMatch(/^engines\/lab\.json:6:13 .*slurm\.mem_gb/);
    const lines = folderWith(undefined, { slurm: { setup: ["ok", "a\nb"] } });
    expect(errorOf(() => read(lines)).message).toMatch(/^engines\/lab\.json:5:4 {2}setup\[1\]/);
  });

  test("a signal that would come before the start", () => {
    const folder = folderWith({ slurm: { timeout_min: 1, signal_delay_s: 60 } });
    expect(errorOf(() => read(folder)).message).toMatch(/signal_delay_s: expected less than .*1 minutes.*60/);
  });
});
