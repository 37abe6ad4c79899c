import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { PilotFacts } from "../../src/contract/generated/types.ts";
import type { Attempt, Told } from "../../src/engine/launcher.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const pilot = "n2-7-ab";

interface Opened {
  launcher: QueueLauncher;
  queue: string;
  told: Told[];
  /** Makes the source of pilots fail. */
  breakSource(): void;
}

/** A launcher whose pilots are files that a test writes. */
function opened(queue = join(tempFolder(), "queue"), leaseMs = 60_000): Opened {
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
  };
}

function entryOf({ spec, number }: Attempt): string {
  return `${spec.trial_id}.${number}`;
}

function addPilot(queue: string): void {
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
  };
  writeFileSync(join(queue, "pilots", `${pilot}.json`), JSON.stringify(facts));
}

/** What a pilot does when it takes an attempt. */
function claim(queue: string, attempt: Attempt): void {
  const entry = entryOf(attempt);
  renameSync(join(queue, "waiting", `${entry}.json`), join(queue, "claimed", `${entry}@${pilot}.json`));
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
  await vi.waitFor(() => expect(told).toContainEqual(expect.objectContaining({ type: "started" })));
  breakSource();
  const end = { schema_version: 1, how: "preempted", pilot, reason: "SIGTERM", error: null };
  writeFileSync(join(queue, "ended", `${entryOf(attempt)}.json`), JSON.stringify(end));
  await vi.waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
  expect(told).toContainEqual(expect.objectContaining({ type: "fault" }));
});

test("an attempt that waits ends as canceled, although no more pilots can be started", async () => {
  const { launcher, told, breakSource } = opened();
  const attempt = madeAttempt();
  launcher.submit(attempt);
  breakSource();
  launcher.cancel(attempt);
  await vi.waitFor(() => expect(endOf(told, attempt)).toBe("canceled"));
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
  await vi.waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
});

test("a worker that was lost while it had nothing to do takes no attempt from the tries of its trial", async () => {
  const { launcher, queue, told } = opened(undefined, 50);
  addPilot(queue);
  await vi.waitFor(() => expect(existsSync(join(queue, "barred", pilot))).toBe(true));
  const attempt = madeAttempt();
  launcher.submit(attempt);
  claim(queue, attempt);
  await vi.waitFor(() => expect(endOf(told, attempt)).toBe("preempted"));
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
