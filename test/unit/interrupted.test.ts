/** After Ctrl-C, only errors that it caused read as an interruption; any other error is shown, with its exit code. */

import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withLock } from "../../src/base/lock.ts";
import { CliprpnError, isInterruption } from "../../src/contract/errors.ts";
import { hashInto } from "../../src/dataset/download/part-file.ts";
import { tryTool } from "../../src/environment/run-tool.ts";
import { main } from "../../src/main.ts";
import { isRunning } from "../helpers/processes.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const aborted = new DOMException("This operation was aborted", "AbortError");

test.each<[what: string, error: unknown, code: number, shown: RegExp]>([
  ["a bug", new TypeError("x is not a function"), 1, /internal error: x is not a function.*errors\.log/],
  [
    "a full disk",
    Object.assign(new Error("write"), { code: "ENOSPC", path: "/a" }),
    4,
    /\/a: the disk is full/,
  ],
  ["a user's mistake", new CliprpnError("bad_input", "a.json: expected b"), 2, /a\.json: expected b/],
  ["an error with a cause", new CliprpnError("no_space", "full", { cause: new Error("write") }), 4, /full/],
  ["an interruption", new CliprpnError("interrupted", "stopped"), 130, /Interrupted/],
  ["an operation of Node's", aborted, 130, /Interrupted/],
  ["a consequence", new CliprpnError("no_network", "failed", { cause: aborted }), 130, /Interrupted/],
])("%s after Ctrl-C", async (_, error, code, shown) => {
  const controller = new AbortController();
  const err: string[] = [];
  const stdout = {
    write: () => {
      controller.abort();
      throw error;
    },
  };
  const io = {
    stdout,
    stderr: { write: (text: string) => void err.push(text) },
    cwd: "/",
    env: { CLIPRPN_CACHE: tempFolder() },
    platform: process.platform,
    signal: controller.signal,
  };
  expect(await main(["schema"], io)).toBe(code);
  expect(err.join("")).toMatch(shown);
  expect(err.join("").includes("Interrupted")).toBe(code === 130);
});

test("the reason of an abort is an interruption, whatever it is", async () => {
  const controller = new AbortController();
  const stdout = {
    write: () => {
      controller.abort(new Error("the terminal was closed"));
      controller.signal.throwIfAborted();
    },
  };
  const stderr = { write: () => undefined };
  const io = { stdout, stderr, cwd: "/", env: {}, platform: process.platform, signal: controller.signal };
  expect(await main(["schema"], io)).toBe(130);
});

test("a tool that failed by itself before the abort has its own error", async () => {
  const file = join(tempFolder(), "tool");
  writeFileSync(file, '#!/bin/sh\necho $$\necho "no space left" >&2\nexit 3\n');
  chmodSync(file, 0o755);
  const controller = new AbortController();
  const result = await tryTool(file, [], {
    env: process.env,
    signal: controller.signal,
    onLine: (line) => {
      if (!/^\d+$/.test(line)) return;
      while (isRunning(Number(line))); // Nothing else runs in this process: its exit is seen after the abort.
      controller.abort();
    },
  });
  expect(result).toMatchObject({
    exitCode: 3,
    signal: undefined,
    output: expect.stringContaining("no space left"),
  });
});

test("an aborted read ends with the signal's reason", async () => {
  const reading = hashInto(createHash("sha256"), join(tempFolder(), "missing"), new AbortController().signal);
  await expect(reading).rejects.toMatchObject({ code: "bad_input" });
  const signal = AbortSignal.abort();
  await expect(hashInto(createHash("sha256"), process.execPath, signal)).rejects.toBe(signal.reason);
});

test("a wait for a lock that is aborted is no failure of the lock", async () => {
  const signal = AbortSignal.abort();
  const lost = (): Error => new Error("lost");
  const failed = (): Error => new Error("not writable");
  const path = join(tempFolder(), "x");
  await expect(withLock(path, { signal, lost, failed }, async () => undefined)).rejects.toBe(signal.reason);
});

test("an error about a lost lock is shown, though the work was interrupted for it", () => {
  const cause = new CliprpnError("interrupted", "stopped");
  const error = new CliprpnError("locked", "another process took over", { cause });
  expect(isInterruption(error, new AbortController().signal)).toBe(false);
  expect(isInterruption(cause, new AbortController().signal)).toBe(true);
});
