import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withLock } from "../../src/base/lock.ts";
import { readOwner } from "../../src/base/owner-lock.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const lost = (): Error => new Error("the lock was lost");

test("work runs with the lock, which is released also when the work fails", async () => {
  const path = join(tempFolder(), "work");
  const owner = await withLock(path, { lost }, async () => readOwner(`${path}.owners`));
  expect(owner).toMatchObject({ pid: process.pid });
  const failure = new Error("failed");
  await expect(withLock(path, { lost }, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(readOwner(`${path}.owners`)).toBeUndefined();
});

test("the signal of the work is aborted when the lock is lost", async () => {
  const path = join(tempFolder(), "work");
  const reason = await withLock(path, { lost }, async (signal) => {
    rmSync(`${path}.owners`, { recursive: true });
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return signal.reason;
  });
  expect(reason).toEqual(lost());
});

test("an error of the file system can be replaced, the signal's reason cannot", async () => {
  const path = join(tempFolder(), "file");
  writeFileSync(path, "");
  const failed = (cause: unknown): Error => new Error("not writable", { cause });
  const work = (): Promise<void> => Promise.reject(new Error("the work must not run"));
  await expect(withLock(join(path, "work"), { lost, failed }, work)).rejects.toMatchObject({
    message: "not writable",
    cause: { code: "ENOTDIR" },
  });
  const signal = AbortSignal.abort(new Error("interrupted"));
  await expect(withLock(path, { lost, failed, signal }, work)).rejects.toBe(signal.reason);
});
