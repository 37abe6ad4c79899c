import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codeHash, codeOf } from "../../src/contract/code-identity.ts";
import type { Split } from "../../src/contract/generated/types.ts";
import { readCode, recordCode } from "../../src/store/code-manifests.ts";
import { countLooks, isTest, recordLook } from "../../src/store/test-looks.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

function look(runs: string, dataset_id: string, split: Split, sweep: string | null = null): void {
  recordLook(runs, {
    dataset_id,
    dataset_name: "mine",
    split,
    command: "cliprpn report",
    sweep,
    num_trials: 2,
  });
}

test("looks at test splits are counted by dataset and split, across sweeps", () => {
  const runs = join(tempFolder(), "new");
  expect(countLooks(runs, "a", "test")).toBe(0);
  look(runs, "a", "test", "first");
  look(runs, "a", "test", "second");
  look(runs, "a", "testA");
  look(runs, "b", "test");
  expect(countLooks(runs, "a", "test")).toBe(2);
  expect(countLooks(runs, "a", "testA")).toBe(1);
  expect(countLooks(runs, "a", "testB")).toBe(0);
  expect(countLooks(runs, "b", "test")).toBe(1);
});

test("a look after a line that a kill left incomplete is counted, and unknown lines stay", () => {
  const runs = tempFolder();
  look(runs, "a", "test");
  const file = join(runs, "test-looks.jsonl");
  appendFileSync(file, '{"schema_version":2,"dataset_id":"a","split":"test"}\n{"schema_ver');
  look(runs, "a", "test");
  expect(countLooks(runs, "a", "test")).toBe(2);
  expect(readFileSync(file, "utf8")).toContain('"schema_version":2');
});

test.each<[Split, boolean]>([
  ["train", false],
  ["val", false],
  ["test", true],
  ["testA", true],
  ["testB", true],
])("%s is a test split: %s", (split, expected) => {
  expect(isTest(split)).toBe(expected);
});

test("the code of a trial is recorded once by its hash, and read back", () => {
  const runs = tempFolder();
  const manifest = codeOf("cliprpn");
  const sha256 = codeHash(manifest);
  expect(readCode(runs, sha256)).toBeUndefined();
  recordCode(runs, sha256, manifest);
  expect(readCode(runs, sha256)).toEqual(manifest);
  const file = join(runs, "code", `${sha256.slice(0, 16)}.json`);
  expect(existsSync(file)).toBe(true);
  const before = readFileSync(file, "utf8");
  recordCode(runs, sha256, { ...manifest, files: {} });
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("a damaged record of the code is an error that names it", () => {
  const runs = tempFolder();
  const sha256 = codeHash(codeOf("baseline"));
  recordCode(runs, sha256, codeOf("baseline"));
  const file = join(runs, "code", `${sha256.slice(0, 16)}.json`);
  appendFileSync(file, "}");
  const error = errorOf(() => readCode(runs, sha256));
  expect(error.code).toBe("bad_input");
  expect(error.message).toContain(file);
});
