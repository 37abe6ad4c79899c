import fs, { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createFile, replaceFile, stagingName } from "../../src/base/replace-file.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a file is created, and replaced", () => {
  const folder = tempFolder();
  for (const content of ["first", Buffer.from("second")]) {
    replaceFile(join(folder, "a.json"), content);
    expect(readFileSync(join(folder, "a.json"), "utf8")).toBe(content.toString());
  }
  expect(readdirSync(folder)).toEqual(["a.json"]);
});

test("only one of several writers creates a file, and it stays as it is", () => {
  const file = join(tempFolder(), "a.json");
  expect([createFile(file, "first"), createFile(file, "second")]).toEqual([true, false]);
  expect(readFileSync(file, "utf8")).toBe("first");
  expect(readdirSync(join(file, ".."))).toEqual(["a.json"]);
});

test("a file is created once also on a file system without hard links", () => {
  const link = vi.spyOn(fs, "linkSync").mockImplementation(() => {
    throw Object.assign(new Error("EPERM"), { code: "EPERM" });
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    link.mockRestore();
    syncBuiltinESMExports();
  });
  const file = join(tempFolder(), "a.json");
  expect([createFile(file, "first"), createFile(file, "second")]).toEqual([true, false]);
  expect(readFileSync(file, "utf8")).toBe("first");
  expect(readdirSync(join(file, ".."))).toEqual(["a.json"]);
  expect(link).toHaveBeenCalledTimes(2);
});

test("a write that fails leaves no other file", () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "a.json", "b"), { recursive: true });
  expect(() => replaceFile(join(folder, "a.json"), "text")).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(readdirSync(folder)).toEqual(["a.json"]);
});

test("names of temporary files are recognized, those of users are not", () => {
  const names = [".a.json.0123456789ab.new", ".b.0123456789abcdef.new", ".c.123.new", "a.json", ".new"];
  expect(names.filter((name) => stagingName.test(name))).toEqual(names.slice(0, 2));
});
