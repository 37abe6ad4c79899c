import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { EndedAttempt, PilotFacts, TrialOutcome } from "../../src/contract/generated/types.ts";
import type { Attempt, Preparation, Told } from "../../src/engine/launcher.ts";
import type { PilotSource } from "../../src/engine/queue/pilot-source.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { waitFor } from "../helpers/wait-for.ts";

const pilot = "n2-7-ab";

interface Opened {
  launcher: QueueLauncher;
  queue: string;
  told: Told[];
  /** Makes the source of pilots fail. */
  breakSource(): void;
}

/** A launcher whose pilots are files that a test writes. */
function opened(
  queue = join(tempFolder(), "queue"),
  leaseMs = 60_000,
  source: Partial<PilotSource> = {},
): Opened {
  const told: Told[] = [];
  let isBroken = false;
  const launcher = new QueueLauncher({
    folder: queue,
    runsDir: tempFolder(),
    numThreads: 1,
    maxAttempts: 4,
    tell: (each) => void told.push(each),
    graceMs: 10,
    pollMs: 5,
    leaseMs,
    pilots: {
      want: () => {
        if (isBroken) throw new Error("SLURM refused the jobs");
        return undefined;
      },
      close: async () => undefined,
      ...source,
    },
  });
  onTestFinished(() => {
    rmSync(join(queue, "pilots"), { recursive: true, force: true });
    return launcher.close();
  });
  const breakSource = (): void => {
    isBroken = true;
  };
  return { launcher, queue, told, breakSource };
}

function madeAttempt(number = 1, seed = 0): Attempt {
  const spec = madeSpec("film", seed);
  const folder = "/tmp/attempt";
  return {
    spec,
    number,
    folder,
    logFile: `${folder}/worker.log`,
    keep_models: "best",
    outcome: () => undefined,
    hasCheckpoint: () => false,
  };
}

function entryOf({ spec, number }: Attempt): string {
  return `${spec.trial_id}.${number}`;
}

function addPilot(queue: string, changes: Partial<PilotFacts> = {}): void {
  const facts: PilotFacts = {
    schema_version: 1,
    name: pilot,
    label: "",
    state: "ready",
    error: null,
    process: {
      host: "n2",
      machine_id: null,
      boot_id: null,
      pid: 7,
      pid_namespace: null,
      process_start: null,
    },
    environment: null,
    ...changes,
  };
  writeFileSync(join(queue, "pilots", `${pilot}.json`), JSON.stringify(facts));
}

/** What a pilot does when it takes an attempt. */
function claim(queue: string, attempt: Attempt): void {
  const entry = entryOf(attempt);
  const name = readdirSync(join(queue, "waiting")).find((each) => each.endsWith(`-${entry}.json`)) ?? "";
  renameSync(join(queue, "waiting", name), join(queue, "claimed", `${entry}@${pilot}.json`));
}

/** What a pilot does when its attempt has ended. */
function end(queue: string, attempt: Attempt, how: EndedAttempt["how"], reason = ""): void {
  const file = join(queue, "ended", `${entryOf(attempt)}.json`);
  writeFileSync(file, JSON.stringify({ schema_version: 1, how, pilot, reason, error: null }));
}

function endOf(told: readonly Told[], attempt: Attempt): string | undefined {
  return told.flatMap((each) => (each.type === "ended" && each.attempt === attempt ? [each.end.how] : []))[0];
}

test("an attempt that runs ends, although no more pilots can be started", async () => {
  const { launcher, queue, told, breakSource } = opened();
  const attempt = madeAttempt();
  launcher.submit(attempt);
  addPilot(queue);
  claim(queue, attempt);
  await waitFor(() => expect(told).toContainEqual(expect.objectContaining({ type: "started" })));
  breakSource();
  end(queue, attempt, "preempted", "SIGTERM");
  await waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
  expect(told).toContainEqual(expect.objectContaining({ type: "fault" }));
});

test("an attempt that waits ends as canceled, although no more pilots can be started", async () => {
  const { launcher, told, breakSource } = opened();
  const attempt = madeAttempt();
  launcher.submit(attempt);
  breakSource();
  launcher.cancel(attempt);
  await waitFor(() => expect(endOf(told, attempt)).toBe("canceled"));
});

test("an attempt that cannot be written into the queue is not followed", () => {
  const { launcher, queue, told } = opened();
  rmSync(join(queue, "waiting"), { recursive: true });
  const attempt = madeAttempt();
  expect(() => launcher.submit(attempt)).toThrow(/ENOENT/);
  mkdirSync(join(queue, "waiting"));
  launcher.cancel(attempt);
  expect(endOf(told, attempt)).toBeUndefined();
});

test("an attempt that a killed process took back, and did not end, runs again", async () => {
  const queue = join(tempFolder(), "queue");
  const attempt = madeAttempt();
  mkdirSync(join(queue, "claimed"), { recursive: true });
  writeFileSync(join(queue, "claimed", `${entryOf(attempt)}@.json`), "{}");
  const { launcher, told } = opened(queue);
  await launcher.attach(async () => attempt);
  await waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
});

test("a worker that was lost while it had nothing to do takes no attempt from the tries of its trial", async () => {
  const { launcher, queue, told } = opened(undefined, 50);
  addPilot(queue);
  await waitFor(() => expect(existsSync(join(queue, "barred", pilot))).toBe(true));
  expect(existsSync(join(queue, "pilots", `${pilot}.json`))).toBe(false);
  const attempt = madeAttempt();
  launcher.submit(attempt);
  claim(queue, attempt);
  await waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
});

test("of two attempts at a trial that were left, the newer one is followed", async () => {
  const queue = join(tempFolder(), "queue");
  mkdirSync(join(queue, "claimed"), { recursive: true });
  for (const number of [1, 2])
    writeFileSync(join(queue, "claimed", `${entryOf(madeAttempt(number))}@${pilot}.json`), "{}");
  const offered: number[] = [];
  const { launcher } = opened(queue);
  await launcher.attach(async ({ number }) => {
    offered.push(number);
    return undefined;
  });
  expect(offered).toEqual([2, 1]);
});

test("an attempt whose end is seen before its outcome, as on a network disk, ends with its outcome", async () => {
  const { launcher, queue, told } = opened();
  let outcome: TrialOutcome | undefined;
  let numAsked = 0;
  const outcomeOf = (): TrialOutcome | undefined => {
    numAsked += 1;
    return outcome;
  };
  const attempt = { ...madeAttempt(), outcome: outcomeOf };
  launcher.submit(attempt);
  addPilot(queue);
  claim(queue, attempt);
  end(queue, attempt, "outcome");
  await waitFor(() => expect(numAsked).toBeGreaterThan(3));
  expect(endOf(told, attempt)).toBeUndefined();
  outcome = madeOutcome(attempt.spec);
  await waitFor(() => expect(endOf(told, attempt)).toBe("outcome"));
});

test("an outcome that never comes is waited for as long as for a heartbeat", async () => {
  const { launcher, queue, told } = opened(undefined, 300);
  const attempt = madeAttempt();
  launcher.submit(attempt);
  claim(queue, attempt);
  end(queue, attempt, "outcome");
  await waitFor(() => expect(endOf(told, attempt)).toBe("error"));
  expect(told).toContainEqual(
    expect.objectContaining({
      end: { how: "error", error: expect.objectContaining({ message: expect.stringMatching(/no outcome/) }) },
    }),
  );
});

test("what runs since an earlier process is told as started before anything can fail", async () => {
  const queue = join(tempFolder(), "queue");
  const [running, waiting] = [madeAttempt(1, 0), madeAttempt(1, 1)];
  const earlier = opened(queue);
  for (const attempt of [running, waiting]) earlier.launcher.submit(attempt);
  addPilot(queue);
  claim(queue, running);
  await earlier.launcher.leave();
  const { launcher, told, breakSource } = opened(queue);
  breakSource();
  await launcher.attach(async ({ trial_id }) =>
    [running, waiting].find(({ spec }) => spec.trial_id === trial_id),
  );
  const started = told.flatMap((each) => (each.type === "started" ? [each.attempt] : []));
  expect(started).toEqual([running]);
  await launcher.leave();
});

test.each([
  [1, 1],
  [3_600_000, undefined],
])("with a limit of %d ms, a preempted attempt had the time of a worker: %s", async (limitMs, expected) => {
  const { launcher, queue, told } = opened(undefined, undefined, { limitMs });
  const attempt = madeAttempt();
  launcher.submit(attempt);
  addPilot(queue);
  claim(queue, attempt);
  await waitFor(() => expect(told).toContainEqual(expect.objectContaining({ type: "started" })));
  const startedAt = performance.now();
  await waitFor(() => expect(performance.now() - startedAt).toBeGreaterThan(1));
  end(queue, attempt, "preempted", "SIGUSR1");
  await waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
  const [ended] = told.flatMap((each) => (each.type === "ended" ? [each.end] : []));
  expect(ended).toEqual({ how: "preempted", reason: "SIGUSR1", ...(expected && { limitMs: expected }) });
});

test("attempts wait in the order of their submission, also those of a later process", () => {
  const folder = join(tempFolder(), "queue");
  const { launcher } = opened(folder);
  const attempts = [3, 1, 2].map((seed) => madeAttempt(1, seed));
  for (const attempt of attempts) launcher.submit(attempt);
  const later = opened(folder);
  const last = madeAttempt(1, 0);
  later.launcher.submit(last);
  const queue = new QueueFolder(folder);
  expect(queue.waiting()).toEqual([...attempts, last].map(entryOf));
  expect(new QueueFolder(folder).withdraw(entryOf(last))).toBe(true);
  expect(queue.withdraw(entryOf(last))).toBe(false);
  expect(queue.waiting()).toEqual(attempts.map(entryOf));
});

test("a process that opens the queue leaves files that live workers are about to rename", () => {
  const folder = join(tempFolder(), "queue");
  opened(folder);
  const names = ["new", "old"].map((name) => join(folder, "ended", `.${name}.json.0123456789abcdef.new`));
  for (const name of names) writeFileSync(name, "{}");
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  utimesSync(names[1] ?? "", twoDaysAgo, twoDaysAgo);
  opened(folder);
  expect(names.map((name) => existsSync(name))).toEqual([true, false]);
});

test("workers are ended although the queue cannot be told to stop, and the error is told", async () => {
  let hasEnded = false;
  const close = async (): Promise<void> => {
    hasEnded = true;
  };
  const { launcher, queue } = opened(undefined, undefined, { close });
  rmSync(queue, { recursive: true });
  await expect(launcher.close()).rejects.toThrow(/ENOENT/);
  expect(hasEnded).toBe(true);
});

test("a worker that cannot say how its attempt ended, as its disk is full, loses it at once", async () => {
  const { launcher, queue, told } = opened();
  const attempt = madeAttempt();
  launcher.submit(attempt);
  addPilot(queue);
  claim(queue, attempt);
  await waitFor(() => expect(told).toContainEqual(expect.objectContaining({ type: "started" })));
  addPilot(queue, { state: "refused", error: { code: "no_space", message: "no space left on the disk" } });
  await waitFor(() => expect(endOf(told, attempt)).toBe("error"));
  const [end] = told.flatMap((each) => (each.type === "ended" ? [each.end] : []));
  expect(end).toMatchObject({
    error: { code: "worker_died", message: expect.stringMatching(/no space left/) },
  });
});

const preparation: Preparation = {
  spec: { schema_version: 1, parts: [{ make: "features", trial: madeSpec("film", 0) }] },
  number: 1,
  folder: "/tmp/preparation",
  logFile: "/tmp/preparation/worker.log",
  numLanes: 1,
  outcome: () => undefined,
};

test("attempts that are left have as many workers as they need, also before others may start", async () => {
  const queue = join(tempFolder(), "queue");
  const attempts = [1, 2, 3].map((seed) => madeAttempt(1, seed));
  const earlier = opened(queue);
  for (const attempt of attempts) earlier.launcher.submit(attempt);
  await earlier.launcher.leave();
  let numWanted = 0;
  const want = (number: number): undefined => {
    numWanted = number;
  };
  const { launcher } = opened(queue, undefined, { want });
  await launcher.attach(async ({ trial_id }) => attempts.find(({ spec }) => spec.trial_id === trial_id));
  await waitFor(() => expect(numWanted).toBe(3));
});

test("what trials share is no longer made for a process whose sweep another one runs", async () => {
  const { launcher, queue, told } = opened(undefined, 50);
  const ended = launcher.prepare(preparation, {
    signal: new AbortController().signal,
    onStarted: () => undefined,
    onEvent: () => undefined,
  });
  opened(queue);
  await expect(ended).rejects.toMatchObject({ code: "locked" });
  expect(told).toContainEqual(
    expect.objectContaining({ type: "fault", error: expect.objectContaining({ code: "locked" }) }),
  );
});

test("a worker that makes what trials share is busy, with no trial", async () => {
  const { launcher, queue } = opened();
  await launcher.attach(async () => undefined);
  const workersThere: (string | undefined)[] = [];
  const stop = new AbortController();
  const ended = launcher.prepare(preparation, {
    signal: stop.signal,
    onStarted: (worker) => void workersThere.push(worker),
    onEvent: () => undefined,
  });
  addPilot(queue);
  renameSync(join(queue, "first/prepare.1.json"), join(queue, `first/prepare.1@${pilot}.json`));
  await waitFor(() => expect(launcher.workers()[0]?.state).toBe("running"));
  expect(launcher.workers()[0]).not.toHaveProperty("trial_id");
  expect(workersThere).toEqual([expect.stringMatching(/^n2/)]);
  stop.abort();
  new QueueFolder(queue).tryEnd("prepare.1", { how: "canceled", pilot, reason: "", error: null });
  expect(await ended).toEqual({ how: "canceled" });
});
