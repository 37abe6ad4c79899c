import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RootTokens } from "../../src/sweep/machines/root-tokens.ts";
import { pathThere, processThere } from "../../src/sweep/machines/roots.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test.each([
  ["/home/me/a", "/mnt/me/a"],
  ["/home", "/mnt"],
  ["/homes/a", "/homes/a"],
  ["/home/me/data/a", "/scratch/a"],
  ["cuda", "cuda"],
])("%s is %s on the engine's machines", (path, there) => {
  expect(pathThere(path, { "/home/": "/mnt", "/home/me/data": "/scratch/" })).toBe(there);
});

test("a process has the paths of its node, in its command and its environment", () => {
  const process = {
    command: ["/home/env/bin/python", "-m", "cliprpn.worker", "--queue", "/home/runs/queue"],
    env: { PYTHONPATH: "/usr/lib/cliprpn:/home/me", PYTHONUTF8: "1" },
  };
  expect(processThere(process, { "/home": "/mnt" })).toEqual({
    command: ["/mnt/env/bin/python", "-m", "cliprpn.worker", "--queue", "/mnt/runs/queue"],
    env: { PYTHONPATH: "/usr/lib/cliprpn:/mnt/me", PYTHONUTF8: "1" },
  });
  expect(processThere(process)).toEqual(process);
});

test("a node that sees another folder than this machine is told from one that sees the same", () => {
  const folder = tempFolder();
  for (const name of ["here", "other"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "here/a"), "");
  symlinkSync(join(folder, "here"), join(folder, "there"));
  const roots = {
    [join(folder, "here")]: join(folder, "there"),
    [join(folder, "other")]: join(folder, "none"),
    [join(folder, "missing")]: join(folder, "here"), // No file can be created in it.
  };
  const tokens = new RootTokens(roots, "token");
  const look = (place: string, names_sha256: string | null) => ({
    folder: place,
    is_folder: names_sha256 !== null,
    has_token: names_sha256 !== null && readdirSync(place).includes("token"),
    names_sha256,
  });
  // Of the names in an empty folder, which is what a missing one has.
  const ofNone = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const found = [
    look(join(folder, "there"), "0".repeat(64)),
    look(join(folder, "none"), null),
    look(join(folder, "here"), "0".repeat(64)),
  ];
  expect(tokens.compare(found).map(({ state }) => state)).toEqual(["same", "missing", "other"]);
  const none = look(join(folder, "other"), ofNone);
  tokens.remove();
  expect(readdirSync(join(folder, "here"))).toEqual(["a"]);
  expect(tokens.compare([none, none, none]).map(({ state }) => state)).toEqual(["same", "same", "same"]);
  const later = look(join(folder, "other"), ofNone);
  expect(tokens.compare([later, later, later]).map(({ state }) => state)).toEqual(["other", "other", "same"]);
});
