import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashFileSync } from "../../src/base/hash-file.ts";
import { hashResultsFolder } from "../../src/experiment/results-folder.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a folder of detections is hashed by the names and contents of its .json and .txt files, as in Python", () => {
  const folder = tempFolder();
  const files = { "b.txt": "0 .5 .5 .1 .1", "B.json": "[]", "é.TXT": "", "notes.md": "no detections" };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, "sub.json"));
  expect(hashResultsFolder(folder, hashFileSync)).toBe(
    "a5325164658cf1d9538a11d375edda33f7fb367d009dca1d334820970afb8b5a",
  );
  writeFileSync(join(folder, "b.txt"), "");
  expect(hashResultsFolder(folder, hashFileSync)).not.toBe(
    "a5325164658cf1d9538a11d375edda33f7fb367d009dca1d334820970afb8b5a",
  );
});

test("a folder without detections has no hash", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "notes.md"), "");
  expect(hashResultsFolder(folder, hashFileSync)).toBeUndefined();
});
