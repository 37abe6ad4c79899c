import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syncCommands } from "../../src/environment/build-environment.ts";
import { torchPins, withoutTorch } from "../../src/environment/locked-packages.ts";
import { packageRoot } from "../../src/package-root.ts";
import { fakeLock } from "../helpers/fake-tools.ts";

const plan = { python: "/e/bin/python", lock: fakeLock, lockFile: "/e/lock.txt" };
const sync = "pip sync --python /e/bin/python --compile-bytecode --require-hashes /e/lock.txt";

test.each([
  [undefined, [sync]],
  [
    "cpu",
    [
      sync,
      "pip install --python /e/bin/python --compile-bytecode --torch-backend cpu torch==2.14.1 torchvision==0.29.1",
    ],
  ],
  [
    "auto",
    [
      sync,
      "pip install --python /e/bin/python --compile-bytecode --torch-backend auto torch==2.14.1 torchvision==0.29.1",
    ],
  ],
])("the commands for torch backend %s", (torchBackend, commands) => {
  expect(syncCommands({ ...plan, torchBackend }).map((words) => words.join(" "))).toEqual(commands);
});

test("the shipped locks pin torch and torchvision once", () => {
  for (const name of ["runtime", "test"]) {
    const lock = readFileSync(join(packageRoot, "env", `${name}.txt`), "utf8");
    expect(torchPins(lock)).toEqual(["torch==2.14.1", "torchvision==0.29.1"]);
  }
});

test("a lock without torch has every other package with its hashes, and no CUDA package", () => {
  const lock = readFileSync(join(packageRoot, "env/runtime.txt"), "utf8");
  const rest = withoutTorch(lock);
  expect(rest).not.toMatch(/^(torch|torchvision|triton|nvidia-|cuda-)/m);
  for (const kept of ["numpy==", "open-clip-torch==", "sympy==", "pillow=="])
    expect(rest).toMatch(new RegExp(`^${kept}.*\\n +--hash=sha256:`, "m"));
  const packages = (text: string): number => text.match(/^[a-z0-9]/gm)?.length ?? 0;
  const removed = lock.match(/^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==/gm)?.length ?? 0;
  expect(packages(rest)).toBe(packages(lock) - removed);
});

test("the locks contain no host name and no absolute path", () => {
  for (const name of ["runtime", "test"]) {
    const lock = readFileSync(join(packageRoot, "env", `${name}.txt`), "utf8");
    expect(lock).not.toMatch(/https?:|file:|--index-url|--find-links|(^|\s)\//m);
  }
});
