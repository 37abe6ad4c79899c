import fs, {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createLockFile } from "../../src/base/create-lock-file.ts";
import { type LockProcess, ownerLine, stateLine } from "../../src/base/lock-file.ts";
import {
  type AcquireOptions,
  acquireOwnerLock,
  describeOwner,
  isHeldBy,
  LockHeldError,
  type LockOwner,
  OwnerLock,
  readOwner,
  tryOwnerLock,
} from "../../src/base/owner-lock.ts";
import { thisProcess } from "../../src/base/process-identity.ts";
import { until } from "../helpers/processes.ts";
import { startUser } from "../helpers/start-lock-user.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

describe("a lock", () => {
  test("has one owner at a time: two processes that take it 200 times each never overlap", async () => {
    const folder = join(tempFolder(), "lock");
    const args = ["race", "200", join(tempFolder(), "fence")];
    const users = [startUser(folder, ...args), startUser(folder, ...args)];
    await Promise.all(users.map((user) => user.says("done")));
    expect(readdirSync(folder)).toEqual(["400"]);
  });

  test("goes from one taker to the next when many wait", async () => {
    const folder = join(tempFolder(), "lock");
    const held: string[] = [];
    const takers = Array.from({ length: 12 }, async (_, index) => {
      const lock = await take(folder);
      held.push(`${index} takes`);
      await new Promise((resolve) => setImmediate(resolve));
      held.push(`${index} releases`);
      await lock.release();
    });
    await Promise.all(takers);
    expect(held).toHaveLength(24);
    for (let i = 0; i < 24; i += 2) expect(held[i + 1]).toBe(held[i]?.replace("takes", "releases"));
  });

  test("is free after its release, and its folder has one file", async () => {
    const folder = join(tempFolder(), "a/b/lock");
    expect(readOwner(folder)).toBeUndefined();
    const first = await take(folder, { command: "cliprpn sweep a.json" });
    expect(readOwner(folder)).toMatchObject({ ...thisProcess(), command: "cliprpn sweep a.json" });
    await first.release();
    await first.release();
    expect(readOwner(folder)).toBeUndefined();
    const second = await take(folder, { onWait: fail });
    expect(readdirSync(folder)).toEqual(["2"]);
    await second.release();
    expect([first.lost, second.lost]).toEqual([false, false]);
  });

  test.each(["EROFS", "ENOSPC"])("its release says nothing of a disk that fails (%s)", async (code) => {
    const lock = await take(join(tempFolder(), "lock"));
    const write = vi.spyOn(fs, "writeSync").mockImplementation(() => {
      throw errorWith(code);
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      write.mockRestore();
      syncBuiltinESMExports();
    });
    await lock.release();
    expect(write).toHaveBeenCalledOnce();
  });

  test("is not taken by a number that was already removed", async () => {
    const folder = join(tempFolder(), "lock");
    writeLock(folder, 7, {});
    expect(createLockFile(folder, 6, "")).toBeUndefined();
    expect(createLockFile(folder, 7, "")).toBeUndefined();
    expect(readdirSync(folder)).toEqual(["7"]);
    expect(readOwner(folder)).toMatchObject({ pid: process.pid });
  });

  test("removes the temporary files of processes that were killed", async () => {
    const folder = join(tempFolder(), "lock");
    mkdirSync(folder);
    writeFileSync(join(folder, "new-host-12-0123"), "");
    await (await take(folder)).release();
    expect(readdirSync(folder)).toEqual(["1"]);
  });

  test("works on a file system without hard links", async () => {
    const link = vi.spyOn(fs, "linkSync").mockImplementation(() => {
      throw errorWith("EPERM");
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      link.mockRestore();
      syncBuiltinESMExports();
    });
    const folder = join(tempFolder(), "lock");
    const lock = await take(folder);
    expect(await tryTaking(folder)).toMatchObject({ pid: process.pid });
    await lock.release();
    await (await take(folder)).release();
    expect(readdirSync(folder)).toEqual(["2"]);
    expect(link).toHaveBeenCalledTimes(2);
  });

  test("is released when taking it fails at the last step", async () => {
    const folder = join(tempFolder(), "lock");
    const read = vi.spyOn(fs, "readdirSync").mockImplementation((path) => {
      if (existsSync(join(String(path), "1"))) throw errorWith("EMFILE");
      return [];
    });
    syncBuiltinESMExports();
    const restore = (): void => {
      read.mockRestore();
      syncBuiltinESMExports();
    };
    onTestFinished(restore);
    expect(await errorOfTaking(folder, {})).toMatchObject({ code: "EMFILE" });
    restore();
    expect(readdirSync(folder)).toEqual(["1"]);
    await (await take(folder, { onWait: fail })).release();
  });

  test("that cannot be created is an error of the file system, not a wait", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const error = await errorOfTaking(join(folder, "file/lock"), { onWait: fail });
    expect(isHeldBy(error)).toBe(false);
    expect(error).toMatchObject({ code: "ENOTDIR" });
  });
});

describe("a process that waits", () => {
  test("is refused at once with the owner when it must not wait", async () => {
    const folder = join(tempFolder(), "lock");
    const lock = await take(folder, { command: "cliprpn sweep a.json" });
    const error = await errorOfTaking(folder, { onWait: fail, maxWaitMs: 0 });
    expect(isHeldBy(error) && error.owner).toEqual(readOwner(folder));
    expect(describeOwner(isHeldBy(error) ? error.owner : "unknown")).toBe(
      `pid ${process.pid} on ${thisProcess().host} (cliprpn sweep a.json)`,
    );
    expect(await tryTaking(folder)).not.toBeInstanceOf(OwnerLock);
    await lock.release();
    expect(await tryTaking(folder)).toBeInstanceOf(OwnerLock);
  });

  test("reports the owner once, and gives up after the maximum wait", async () => {
    const folder = join(tempFolder(), "lock");
    await take(folder);
    const onWait = vi.fn();
    expect(await errorOfTaking(folder, { onWait, maxWaitMs: 1_000 })).toBeInstanceOf(LockHeldError);
    expect(onWait.mock.calls).toEqual([[readOwner(folder)]]);
  });

  test("stops with the signal's reason", async () => {
    const folder = join(tempFolder(), "lock");
    await take(folder);
    const stop = new AbortController();
    const reason = new Error("interrupted");
    const onWait = (): void => void setImmediate(() => stop.abort(reason));
    expect(await errorOfTaking(folder, { signal: stop.signal, onWait })).toBe(reason);
    expect(await errorOfTaking(folder, { signal: stop.signal, onWait: fail })).toBe(reason);
  });
});

describe("an owner on this machine", () => {
  test("that was killed is replaced at once", async () => {
    const folder = join(tempFolder(), "lock");
    const user = startUser(folder, "hold");
    await user.says("held");
    expect(readOwner(folder)).toMatchObject({ pid: user.child.pid, command: "lock-user" });
    user.child.kill("SIGKILL");
    await until(() => readOwner(folder) === undefined);
    await (await take(folder, { onWait: fail })).release();
  });

  test("that is stopped keeps the lock, however long it sleeps", async () => {
    const folder = join(tempFolder(), "lock");
    const user = startUser(folder, "hold");
    await user.says("held");
    user.child.kill("SIGSTOP");
    const error = await errorOfTaking(folder, { watchMs: 100, maxWaitMs: 2_000 });
    expect(isHeldBy(error) && error.owner).toMatchObject({ pid: user.child.pid });
    user.child.kill("SIGCONT");
    user.child.stdin.write("release\n");
    await user.says("released");
    await (await take(folder, { onWait: fail })).release();
    expect(user.lines).toEqual(["held", "released"]);
  });

  test("waits for the other process and gets the lock when that is killed", async () => {
    const folder = join(tempFolder(), "lock");
    const first = startUser(folder, "hold");
    await first.says("held");
    const second = startUser(folder, "hold");
    await second.says("waiting");
    first.child.kill("SIGKILL");
    await second.says("held");
  });

  const missingPid = 2 ** 22 + 1; // Linux has no higher pid than 2^22.
  const other = "0".repeat(32);
  test.each<[what: string, change: Partial<LockProcess>, state: "dead" | "may be alive"]>([
    ["this process", {}, "may be alive"],
    ["this process on a machine that was renamed", { host: "renamed" }, "may be alive"],
    ["a pid that does not exist", { pid: missingPid }, "dead"],
    ["a pid that was used again", { process_start: "1" }, "dead"],
    ["a pid that does not exist, of an unknown machine id", { pid: missingPid, machine_id: null }, "dead"],
    ["a pid of another namespace", { pid: missingPid, pid_namespace: "pid:[1]" }, "may be alive"],
    ["a pid of an unknown namespace", { pid: missingPid, pid_namespace: null }, "may be alive"],
    ["a pid of an unknown boot", { pid: missingPid, boot_id: null }, "may be alive"],
    ["an unknown process start", { process_start: null }, "may be alive"],
    ["a process of an earlier boot", { boot_id: "earlier" }, "dead"],
    ["an earlier boot of an unknown machine id", { boot_id: "earlier", machine_id: null }, "may be alive"],
    ["an earlier boot of another host", { boot_id: "earlier", host: "elsewhere" }, "may be alive"],
    ["another machine of the same host name", { pid: missingPid, machine_id: other }, "may be alive"],
    ["another boot and machine of the same host name", { boot_id: "b", machine_id: other }, "may be alive"],
    ["another machine", { pid: missingPid, machine_id: other, host: "elsewhere" }, "may be alive"],
  ])("is recognized: %s", async (_, change, state) => {
    // In a container there is no machine id, and its processes are compared by boot and namespace alone.
    if (thisProcess().machine_id === null && (change.host === "renamed" || change.boot_id === "earlier"))
      return;
    const folder = join(tempFolder(), "lock");
    writeLock(folder, 7, change);
    expect(readOwner(folder) === undefined).toBe(state === "dead");
    const result = await tryTaking(folder);
    expect(result instanceof OwnerLock).toBe(state === "dead");
    expect(readdirSync(folder)).toEqual([state === "dead" ? "8" : "7"]);
  });
});

describe("an owner on another machine", () => {
  test("that beats is waited for; once it is stopped, its lock is taken over, which it notices", async () => {
    const folder = join(tempFolder(), "lock");
    const user = startUser(folder, "hold");
    await user.says("held");
    moveToOtherMachine(join(folder, "1"));
    const watchMs = 3_000;
    expect(await errorOfTaking(folder, { watchMs, maxWaitMs: 1.5 * watchMs })).toBeInstanceOf(LockHeldError);

    user.child.kill("SIGSTOP");
    const started = performance.now();
    const lock = await take(folder, { watchMs });
    expect(performance.now() - started).toBeGreaterThanOrEqual(watchMs);

    user.child.kill("SIGCONT");
    await user.says("lost");
    user.child.stdin.write("release\n");
    await user.says("released a lost lock");
    expect(user.lines).toEqual(["held", "lost", "released a lost lock"]);
    expect(readOwner(folder)).toMatchObject({ pid: process.pid });
    expect(readdirSync(folder)).toEqual(["2"]);
    await lock.release();
    expect(lock.lost).toBe(false);
  });

  test.each([
    1970, 2099,
  ])("is judged without comparing clocks: everything is of the year %i", async (year) => {
    const folder = join(tempFolder(), "lock");
    const date = new Date(Date.UTC(year, 5));
    const change = { machine_id: null, host: "elsewhere", taken_at: date.toISOString() };
    let counter = 0;
    const beat = (): void => {
      counter += 1;
      writeLock(folder, 3, change, counter);
      utimesSync(join(folder, "3"), date, date);
    };
    beat();
    const timer = setInterval(beat, 20);
    const watchMs = 1_000;
    const error = await errorOfTaking(folder, { watchMs, maxWaitMs: 2 * watchMs });
    clearInterval(timer);
    expect(isHeldBy(error) && error.owner).toMatchObject(change);
    const started = performance.now();
    await (await take(folder, { watchMs })).release();
    expect(performance.now() - started).toBeGreaterThanOrEqual(watchMs);
  });
});

describe("a damaged lock file", () => {
  const damages: [what: string, text: string][] = [
    ["empty", ""],
    ["torn", ownerLine(ownerOf({})).slice(0, 40)],
    ["of another program", '{"pid": 0}\nheld\n'],
    ["binary", "\0\xff\0"],
  ];
  test.each(damages)("is taken over when it does not change: %s", async (_, text) => {
    const folder = join(tempFolder(), "lock");
    mkdirSync(folder);
    writeFileSync(join(folder, "5"), text);
    const onWait = vi.fn();
    const started = performance.now();
    const lock = await take(folder, { onWait, watchMs: 300 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(300);
    expect(onWait.mock.calls).toEqual([["unknown"]]);
    expect(readdirSync(folder)).toEqual(["6"]);
    await lock.release();
  });

  test("is waited for as long as it changes", async () => {
    const folder = join(tempFolder(), "lock");
    mkdirSync(folder);
    let text = "";
    const timer = setInterval(() => {
      text += ".";
      writeFileSync(join(folder, "5"), text);
    }, 20);
    onTestFinished(() => clearInterval(timer));
    await until(() => existsSync(join(folder, "5")));
    expect(await errorOfTaking(folder, { watchMs: 1_000, maxWaitMs: 2_000 })).toMatchObject({
      owner: "unknown",
    });
  });

  test.each<[what: string, make: (path: string) => void]>([
    ["a folder", (path) => mkdirSync(path)],
    ["a symlink to nothing", (path) => fs.symlinkSync("nothing", path)],
  ])("may be %s", async (_, make) => {
    const folder = join(tempFolder(), "lock");
    mkdirSync(folder);
    make(join(folder, "5"));
    expect(describeOwner(readOwner(folder) ?? "unknown")).toContain("unknown process");
    const lock = await take(folder, { watchMs: 100 });
    expect(readdirSync(folder)).toContain("6");
    await lock.release();
  });
});

describe("a heartbeat", () => {
  test("rewrites its file in place", async () => {
    const folder = join(tempFolder(), "lock");
    const lock = await take(folder);
    const before = readFileSync(join(folder, "1"), "utf8");
    await until(() => readFileSync(join(folder, "1"), "utf8") !== before);
    expect(readFileSync(join(folder, "1"), "utf8")).toHaveLength(before.length);
    expect(readOwner(folder)).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  test.each<[what: string, change: (folder: string) => void]>([
    ["another process has the next number", (folder) => writeLock(folder, 2, { pid: 1 })],
    ["its file is gone", (folder) => rmSync(join(folder, "1"))],
    ["its folder is gone", (folder) => rmSync(folder, { recursive: true })],
    [
      "its folder was created again",
      (folder) => {
        fs.renameSync(folder, `${folder}-old`);
        writeLock(folder, 1, { pid: 1 });
      },
    ],
  ])("notices once that the lock is lost: %s", async (_, change) => {
    const folder = join(tempFolder(), "lock");
    const onLost = vi.fn();
    const lock = await take(folder, { onLost, beatMs: 20 });
    change(folder);
    const files = existsSync(folder) ? contents(folder) : {};
    await until(() => lock.lost);
    await lock.release();
    expect(onLost).toHaveBeenCalledTimes(1);
    delete files["1"]; // The lost lock's own counter.
    expect(existsSync(folder) ? contents(folder) : {}).toMatchObject(files);
  });

  test.each(["ENOSPC", "EIO", "EDQUOT"])("survives %s", async (code) => {
    const folder = join(tempFolder(), "lock");
    const write = failing("write", code);
    const onLost = vi.fn();
    const lock = await take(folder, { onLost, beatMs: 20 });
    await until(() => write.numCalls() > 3);
    write.restore();
    const before = readFileSync(join(folder, "1"), "utf8");
    await until(() => readFileSync(join(folder, "1"), "utf8") !== before);
    expect([lock.lost, onLost.mock.calls.length]).toEqual([false, 0]);
    await lock.release();
    expect(readOwner(folder)).toBeUndefined();
  });

  test("takes ESTALE as the loss of the lock", async () => {
    const folder = join(tempFolder(), "lock");
    const onLost = vi.fn();
    const lock = await take(folder, { onLost, beatMs: 20 });
    failing("fdatasync", "ESTALE");
    await until(() => onLost.mock.calls.length > 0);
    await lock.release();
    expect([lock.lost, onLost.mock.calls.length]).toEqual([true, 1]);
  });
});

function fail(): never {
  throw new Error("no wait and no loss of the lock was expected");
}

const quiet = { beatMs: 50, onLost: fail };

/** Takes a lock, and releases it at the end of the test. */
async function take(folder: string, options: Partial<AcquireOptions> = {}): Promise<OwnerLock> {
  const lock = await acquireOwnerLock(folder, { ...quiet, ...options });
  onTestFinished(() => lock.release());
  return lock;
}

async function tryTaking(folder: string): Promise<OwnerLock | LockOwner> {
  const result = await tryOwnerLock(folder, quiet);
  if (result instanceof OwnerLock) onTestFinished(() => result.release());
  return result;
}

function errorOfTaking(folder: string, options: Partial<AcquireOptions>): Promise<unknown> {
  return acquireOwnerLock(folder, { ...quiet, ...options }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A lock of this process with other values. */
function ownerOf(change: Partial<LockProcess>): LockProcess {
  return { ...thisProcess(), command: "test", taken_at: new Date().toISOString(), ...change };
}

function writeLock(folder: string, number: number, change: Partial<LockProcess>, counter = 0): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(number)), ownerLine(ownerOf(change)) + stateLine("held", counter));
}

/** Changes host and machine id in place; the owner goes on writing its counter behind them. */
function moveToOtherMachine(file: string): void {
  const text = readFileSync(file, "utf8");
  const { host, boot_id, machine_id } = thisProcess();
  const line = text
    .slice(0, text.indexOf("\n"))
    .replace(`"host":"${host}"`, `"host":"${"x".repeat(host.length)}"`)
    .replace(boot_id ?? "", "b".repeat(boot_id?.length ?? 0))
    .replace(machine_id ?? "", "0".repeat(machine_id?.length ?? 0));
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, line, 0);
  closeSync(descriptor);
}

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}

/** Lets an asynchronous function of node:fs fail, as heartbeats use it, until it is restored or the test ends. */
function failing(name: "write" | "fdatasync", code: string): { restore(): void; numCalls(): number } {
  const spy = vi.spyOn(fs, name).mockImplementation((...args: unknown[]) => {
    const callback = args.at(-1);
    if (typeof callback === "function") callback(errorWith(code));
  });
  syncBuiltinESMExports();
  const restore = (): void => {
    spy.mockRestore();
    syncBuiltinESMExports();
  };
  onTestFinished(restore);
  return { restore, numCalls: () => spy.mock.calls.length };
}

function errorWith(code: string): Error {
  return Object.assign(new Error(code), { code });
}
