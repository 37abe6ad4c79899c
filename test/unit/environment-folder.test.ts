import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheDir } from "../../src/environment/cache.ts";
import {
  environmentSpec,
  findReady,
  folderFor,
  markReady,
} from "../../src/environment/environment-folder.ts";
import { checkSpace, environmentSizes, spaceNeeded } from "../../src/environment/install-packages.ts";
import { atLeast } from "../../src/environment/requirements.ts";
import { chosenTorch, rememberTorch } from "../../src/environment/torch-choice.ts";
import { fakeMachine, type Machine } from "../helpers/fake-tools.ts";

test.each<[NodeJS.ProcessEnv, NodeJS.Platform, string]>([
  [{ CLIPRPN_CACHE: "/c", XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux", "/c"],
  [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux", "/x/cliprpn"],
  [{ HOME: "/h" }, "linux", "/h/.cache/cliprpn"],
  [{ HOME: "/h" }, "darwin", "/h/Library/Caches/cliprpn"],
  [{ CLIPRPN_CACHE: "here", HOME: "/h" }, "linux", join(process.cwd(), "here")],
])("the cache for %o on %s", (env, platform, folder) => {
  expect(cacheDir(env, platform)).toBe(folder);
});

test("another lock or another torch has another key; the same has the same", () => {
  const { cache, lockDir } = fakeMachine();
  const key = (torch?: string): string => environmentSpec("runtime", cache, torch, lockDir).key;
  const before = key();
  expect(key()).toBe(before);
  expect(key("cpu")).not.toBe(before);
  writeFileSync(join(lockDir, "runtime.txt"), "numpy==2.4.7\n");
  expect(key()).not.toBe(before);
});

test("an environment is ready once it is marked, until its Python is removed or replaced", async () => {
  const machine = fakeMachine();
  const { spec, environment } = incomplete(machine);
  expect(findReady(spec)).toBeUndefined();
  markReady(environment);
  expect(findReady(spec)).toEqual(environment);

  const interpreter = join(machine.folder, "bin/python3.11");
  rmSync(join(machine.folder, "bin/python3"));
  renameSync(interpreter, join(machine.folder, "bin/python3.12"));
  expect(findReady(spec), "its Python was removed").toBeUndefined();
  symlinkSync(join(machine.folder, "bin/python3.12"), interpreter);
  expect(findReady(spec), "its Python was replaced").toBeUndefined();
});

test("of two environments for two Pythons, the complete one is found", async () => {
  const machine = fakeMachine();
  const { spec, environment } = incomplete(machine);
  mkdirSync(folderFor(spec, "3.10.2").folder);
  markReady(environment);
  expect(readdirSync(machine.cache)).toHaveLength(2);
  expect(findReady(spec)).toEqual(environment);
});

function incomplete({ cache, lockDir, folder }: Machine): {
  spec: ReturnType<typeof environmentSpec>;
  environment: ReturnType<typeof folderFor>;
} {
  const spec = environmentSpec("runtime", cache, undefined, lockDir);
  const environment = folderFor(spec, "3.11.7");
  mkdirSync(join(environment.folder, "bin"), { recursive: true });
  symlinkSync(join(folder, "bin/python3.11"), environment.python);
  return { spec, environment };
}

test("torch is chosen by the option, by uv's variable or by an earlier command; `lock` resets it", async () => {
  const { cache } = fakeMachine();
  expect(chosenTorch(undefined, { own: cache, shared: undefined }, {})).toBeUndefined();
  await rememberTorch("cpu", cache);
  expect(chosenTorch(undefined, { own: cache, shared: undefined }, {})).toBe("cpu");
  expect(chosenTorch(undefined, { own: cache, shared: undefined }, { UV_TORCH_BACKEND: "cu128" })).toBe(
    "cu128",
  );
  expect(chosenTorch("auto", { own: cache, shared: undefined }, { UV_TORCH_BACKEND: "cu128" })).toBe("auto");
  expect(chosenTorch("lock", { own: cache, shared: undefined }, {})).toBeUndefined();
  await rememberTorch("lock", cache);
  expect(chosenTorch(undefined, { own: cache, shared: undefined }, {})).toBeUndefined();
});

const sizes = { download_bytes: 3e9, disk_bytes: 6e9 };

test.each([
  ["one disk", { sameDisk: true, nothingToFetch: false }, [["/c", 6]]],
  [
    "one disk, all in uv's cache: only compiled files",
    { sameDisk: true, nothingToFetch: true },
    [["/c", 0.3]],
  ],
  [
    "two disks",
    { sameDisk: false, nothingToFetch: false },
    [
      ["/c", 6],
      ["/u", 6],
    ],
  ],
  ["two disks, all in uv's cache: copies", { sameDisk: false, nothingToFetch: true }, [["/c", 6]]],
])("space needed on %s", (_what, { sameDisk, nothingToFetch }, expected) => {
  const needed = spaceNeeded({ cache: "/c", uvCache: "/u", sizes, nothingToFetch }, sameDisk);
  expect(needed.map(({ folder, bytes }) => [folder, bytes / 1e9])).toEqual(expected);
});

test("too little disk space is reported with both sizes", async () => {
  const { folder } = fakeMachine();
  const question = {
    cache: join(folder, "not/yet"),
    uvCache: folder,
    sizes: { download_bytes: 3e9, disk_bytes: 1e16 },
    nothingToFetch: false,
  };
  await expect(checkSpace(question)).rejects.toMatchObject({
    code: "no_space",
    message: expect.stringMatching(/not\/yet: .*10000000\.0 GB.* [\d.]+ GB; .*CLIPRPN_CACHE/),
  });
});

test("download sizes: several GB for CUDA builds on Linux, far less for the CPU, and a default for other platforms", () => {
  expect(environmentSizes(undefined, "linux-x64").download_bytes).toBeGreaterThan(3e9);
  expect(environmentSizes("cpu", "linux-x64").download_bytes).toBeLessThan(0.5e9);
  expect(environmentSizes(undefined, "darwin-arm64").download_bytes).toBeLessThan(0.5e9);
  expect(environmentSizes(undefined, "linux-riscv64").download_bytes).toBeGreaterThan(3e9);
});

test.each<[string, number[], boolean]>([
  ["2.11.0", [2, 11], true],
  ["2.9.1", [2, 11], false],
  ["2.13.0+cpu", [2, 11], true],
  ["3.0.0a1", [2, 11], true],
  ["3.9.18", [3, 10], false],
  ["nonsense", [3, 10], false],
])("%s is at least %o: %s", (version, wanted, expected) => {
  expect(atLeast(version, wanted)).toBe(expected);
});
