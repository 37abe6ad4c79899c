import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireLock, isHeld } from "../../src/base/lock.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("waiting for a lock that stays held is reported once and fails after the maximum wait", async () => {
  const lockFile = join(tempFolder(), "lock");
  const release = await acquireLock(lockFile, { onLost: fail });
  let num_waits = 0;
  const onWait = (): void => {
    num_waits += 1;
  };
  const error: unknown = await acquireLock(lockFile, { onWait, onLost: fail, maxWaitMs: 500 }).catch(
    (reason: unknown) => reason,
  );
  expect(isHeld(error)).toBe(true);
  expect(num_waits).toBe(1);
  await release();
  await (await acquireLock(lockFile, { onLost: fail, maxWaitMs: 0 }))();
  expect(existsSync(lockFile)).toBe(false);
});

test("the lock of a process that died is taken over without a wait", async () => {
  const lockFile = join(tempFolder(), "lock");
  mkdirSync(lockFile);
  utimesSync(lockFile, 1000, 1000);
  const release = await acquireLock(lockFile, { onWait: fail, onLost: fail });
  await release();
});

test("an interrupted wait ends with the signal's reason", async () => {
  const lockFile = join(tempFolder(), "lock");
  const release = await acquireLock(lockFile, { onLost: fail });
  const stop = new AbortController();
  const reason = new Error("interrupted");
  const onWait = (): void => stop.abort(reason);
  await expect(acquireLock(lockFile, { signal: stop.signal, onWait, onLost: fail })).rejects.toBe(reason);
  await release();
});

test("a folder that does not exist is an error of the file system, not a wait", async () => {
  const lockFile = join(tempFolder(), "missing/lock");
  const error: unknown = await acquireLock(lockFile, { onWait: fail, onLost: fail }).catch(
    (reason) => reason,
  );
  expect(isHeld(error)).toBe(false);
  expect(error).toMatchObject({ code: "ENOENT" });
});

function fail(): never {
  throw new Error("no wait and no loss of the lock was expected");
}
