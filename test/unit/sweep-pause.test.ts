/** A sweep that the machine's fault pauses: the fault is told first, whatever else fails on the same disk. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { machineError } from "../../src/base/machine-error.ts";
import { CliprpnError, EXIT } from "../../src/contract/errors.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { pauseSweep } from "../../src/sweep/run/pause.ts";
import { exitCodeFor } from "../../src/sweep/sweep-notice.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const broken = Object.assign(new Error("EIO: i/o error, write"), { code: "EIO", path: "/runs/best.json" });

test("a disk that fails is the machine's fault, and named", () => {
  expect(exitCodeFor(broken)).toBe(EXIT.environment);
  expect(machineError(broken)).toMatchObject({
    code: "environment_broken",
    message: expect.stringMatching(/^\/runs\/best\.json: the disk failed \(EIO.*dmesg/),
  });
  expect(machineError(new TypeError("a bug"))).toBeUndefined();
});

test.each([
  ["a failing disk", broken, "environment_broken", /^\/runs\/best\.json: the disk failed/],
  ["a full disk", new CliprpnError("no_space", "/runs: no space left"), "no_space", /^\/runs: no space left/],
])("of %s, an error while the sweep pauses does not hide the fault", (_, fault, code, first) => {
  const runsDir = tempFolder();
  const store = new SweepStore(runsDir, "made");
  mkdirSync(join(store.folder, "journal.jsonl"), { recursive: true }); // It cannot be read.
  const terminal = recordingTerminal();
  const journal = {
    append: () => {
      throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    },
  };
  const run = { ...contextIn(runsDir, terminal), runsDir, commandLine: "cliprpn sweep made.json" };
  const told = pauseSweep(store, [madeSpec("film", 0)], { journal, fault, run });
  expect(told).toMatchObject({ code, message: expect.stringMatching(first), cause: fault });
  expect(told).toMatchObject({
    message: expect.stringMatching(/journal \(EIO: i\/o error, fdatasync\).*found a folder/),
  });
  expect(terminal.lines).toEqual([expect.stringMatching(/made is paused.* npx cliprpn sweep made\.json$/)]);
});
