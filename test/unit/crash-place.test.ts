import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crashPlace } from "../../src/engine/crash-place.ts";
import { packageRoot } from "../../src/package-root.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const main = `
import sys
from cliprpn.bridge import guards
guards.install_guards()
import mine
mine.forward()
`;

test.each([
  ["a segmentation fault", "import ctypes; ctypes.string_at(0)", "3, in forward"],
  ["os._exit", "import os; os._exit(9)", "3, in forward"],
  [
    "the signal before a time limit",
    "import os, signal; os.kill(os.getpid(), signal.SIGUSR2)",
    "3, in forward",
  ],
  ["an end in a child process", "import os; os.fork() or os._exit(0); os.wait()", undefined],
  ["the end of the interpreter", "raise SystemExit", undefined],
])("%s in a fusion is found by its line in the log", (_, statement, expected) => {
  const folder = tempFolder();
  const [loaded, log] = [join(folder, "mine.py"), join(folder, "worker.log")];
  writeFileSync(loaded, `def forward():\n    print("before")\n    ${statement}\n`);
  const PYTHONPATH = `${folder}:${join(packageRoot, "python")}`;
  const { stdout, stderr } = spawnSync(testPython(), ["-c", main], { env: { ...process.env, PYTHONPATH } });
  writeFileSync(log, Buffer.concat([stdout, stderr]));
  const place = expected === undefined ? undefined : `/home/me/fusion.py:${expected}`;
  expect(crashPlace(log, loaded, "/home/me/fusion.py")).toBe(place);
  expect(crashPlace(log, join(folder, "other.py"), "/home/me/fusion.py")).toBeUndefined();
  expect(crashPlace(join(folder, "none.log"), loaded, "/home/me/fusion.py")).toBeUndefined();
});
