import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readOwner } from "../../src/base/owner-lock.ts";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { TrialQueue, type TrialQueueOptions } from "../../src/sweep/trial-queue.ts";
import { errorOf } from "../helpers/error-of.ts";
import { failed, madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { startUser } from "../helpers/start-lock-user.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

const specs = [0, 1, 2].map((seed) => madeSpec("film", seed)) as [TrialSpec, TrialSpec, TrialSpec];
const [first, second, third] = specs;

const { signal } = new AbortController();

interface MadeQueue {
  queue: TrialQueue;
  runs: string;
  found: [seed: number, attempt: number][];
  trial(spec: TrialSpec): TrialStore;
  /** Whether a process has the trial's claim. */
  isClaimed(spec: TrialSpec): boolean;
}

function makeQueue(
  trials: TrialSpec[],
  { runsDir = tempFolder(), ...changes }: Partial<TrialQueueOptions> = {},
): MadeQueue {
  const found: [number, number][] = [];
  const queue = new TrialQueue(trials, {
    runsDir,
    keep_models: "best",
    command: "cliprpn sweep made.json",
    onWait: () => {
      throw new Error("no other process runs a trial");
    },
    onFound: ({ seed }, attempt) => found.push([seed, attempt]),
    onRetry: () => undefined,
    ...changes,
  });
  onTestFinished(() => queue.close());
  const trial = ({ trial_id }: TrialSpec): TrialStore => new TrialStore(runsDir, trial_id);
  const isClaimed = (spec: TrialSpec): boolean => readOwner(trial(spec).claimFolder) !== undefined;
  return { queue, runs: runsDir, found, trial, isClaimed };
}

/** Seeds of the attempts until the queue is empty; each completes at once. */
async function runAll({ queue, trial }: MadeQueue): Promise<number[]> {
  const seeds: number[] = [];
  for (let attempt = await queue.next(signal); attempt !== undefined; attempt = await queue.next(signal)) {
    const outcome = madeOutcome(attempt.spec);
    writeFileSync(join(attempt.folder, "outcome.json"), JSON.stringify(outcome));
    expect(await queue.finished(attempt, attempt.outcome())).toBe(true);
    expect(trial(attempt.spec).shown(attempt.spec.sources_sha256)?.attempt).toBe(attempt.number);
    seeds.push(attempt.spec.seed);
  }
  return seeds;
}

/** A trial's folder with a completed attempt, as a process leaves it that was killed before it accepted the attempt. */
function leaveCompleted(trial: TrialStore, spec: TrialSpec): number {
  trial.create(spec);
  return writeAttempt(trial, madeOutcome(spec));
}

test("trials run in order, each under a claim that is given back at its end", async () => {
  const made = makeQueue([...specs]);
  const attempt = await made.queue.next(signal);
  expect(attempt).toMatchObject({ spec: first, number: 1, keep_models: "best" });
  expect([first, second].map(made.isClaimed)).toEqual([true, false]);
  expect(made.trial(first).identity()?.trial_id).toBe(first.trial_id);
  expect(made.queue.numWaiting).toBe(2);
  if (attempt !== undefined) await made.queue.finished(attempt, failed("film", 0, "diverged"));
  expect(made.isClaimed(first)).toBe(false);
  expect(made.trial(first).accepted()).toEqual([]);
  expect(await runAll(made)).toEqual([1, 2]);
  expect(specs.map(made.isClaimed)).toEqual([false, false, false]);
  expect(made.queue.numWaiting).toBe(0);
  expect(made.found).toEqual([]);
});

test("a second attempt to finish is refused: one attempt of a trial counts", async () => {
  const made = makeQueue([first]);
  const attempt = await made.queue.next(signal);
  if (attempt === undefined) throw new Error("the trial waits");
  const other = writeAttempt(made.trial(first), madeOutcome(first));
  made.trial(first).accept(other, first.sources_sha256);
  expect(await made.queue.finished(attempt, madeOutcome(first))).toBe(false);
  expect(made.trial(first).shown(first.sources_sha256)?.attempt).toBe(other);
});

test("a trial that another process has completed does not run", async () => {
  const made = makeQueue([...specs]);
  const attempt = leaveCompleted(made.trial(second), second);
  made.trial(second).accept(attempt, second.sources_sha256);
  expect(await runAll(made)).toEqual([0, 2]);
  expect(made.found).toEqual([[1, attempt]]);
});

test("a completed attempt of a killed process is accepted without running again", async () => {
  const made = makeQueue([first]);
  made.trial(first).newAttempt();
  const attempt = leaveCompleted(made.trial(first), first);
  expect(await runAll(made)).toEqual([]);
  expect(made.found).toEqual([[0, attempt]]);
  expect(made.trial(first).shown(first.sources_sha256)?.attempt).toBe(attempt);
});

test("a trial completed by other code runs again as a new attempt; the old one stays", async () => {
  const made = makeQueue([first]);
  const old = { ...first, sources_sha256: "e".repeat(64) };
  const attempt = leaveCompleted(made.trial(first), old);
  made.trial(first).accept(attempt, old.sources_sha256);
  expect(await runAll(made)).toEqual([0]);
  expect(made.found).toEqual([]);
  expect(made.trial(first).attempts()).toEqual([1, 2]);
  expect(readFileSync(made.trial(first).model(attempt) ?? "", "utf8")).toBe("model 1");
});

test("a trial that another live process runs comes last, is waited for, and does not run when that completed it", async () => {
  const runsDir = tempFolder();
  const claim = new TrialStore(runsDir, first.trial_id).claimFolder;
  const user = startUser(claim, "hold");
  await user.says("held");
  const waited: string[] = [];
  const made = makeQueue([...specs], {
    runsDir,
    onWait: (spec, owner) => {
      waited.push(`${spec.seed} ${owner === "unknown" ? owner : owner.command}`);
      made.trial(spec).accept(leaveCompleted(made.trial(spec), spec), spec.sources_sha256);
      user.child.stdin.write("\n");
    },
  });
  expect(await runAll(made)).toEqual([1, 2]);
  expect(waited).toEqual(["0 lock-user"]);
  expect(made.found).toEqual([[0, 1]]);
});

test("a trial that another process gave up runs here", async () => {
  const runsDir = tempFolder();
  const user = startUser(new TrialStore(runsDir, first.trial_id).claimFolder, "hold");
  await user.says("held");
  const made = makeQueue([...specs], { runsDir, onWait: () => void user.child.kill("SIGKILL") });
  expect(await runAll(made)).toEqual([1, 2, 0]);
});

test("Ctrl-C ends the wait for another process, and no trial begins after it", async () => {
  const runsDir = tempFolder();
  const user = startUser(new TrialStore(runsDir, first.trial_id).claimFolder, "hold");
  await user.says("held");
  const controller = new AbortController();
  const made = makeQueue([first, second], {
    runsDir,
    onWait: () => controller.abort(new Error("stopped")),
  });
  expect((await made.queue.next(controller.signal))?.spec).toEqual(second);
  await expect(made.queue.next(controller.signal)).rejects.toThrow("stopped");
  expect(await made.queue.next(controller.signal)).toBeUndefined();
});

test("two queues that share trials run each of them once", async () => {
  const runsDir = tempFolder();
  const waiting = { onWait: () => undefined };
  const [one, two] = [
    makeQueue([...specs], { runsDir, ...waiting }),
    makeQueue([third, second, first], { runsDir, ...waiting }),
  ];
  const ran = (await Promise.all([runAll(one), runAll(two)])).flat();
  expect(ran.sort()).toEqual([0, 1, 2]);
  for (const spec of specs) expect(one.trial(spec).attempts()).toEqual([1]);
  expect(one.found.length + two.found.length).toBe(3);
});

test("all claims are given back at the end, also those of running trials", async () => {
  const made = makeQueue([...specs]);
  await made.queue.next(signal);
  await made.queue.next(signal);
  expect(specs.map(made.isClaimed)).toEqual([true, true, false]);
  await made.queue.close();
  expect(specs.map(made.isClaimed)).toEqual([false, false, false]);
});

function withFusion(file: string, source: string): TrialSpec {
  const spec = madeSpec("mine", 0);
  const source_sha256 = createHash("sha256").update(source).digest("hex");
  const fusion = { kind: "file" as const, file: `${file}:Mine`, params: {}, source_sha256 };
  return { ...spec, settings: { ...spec.settings, fusion } };
}

test("a fusion's source is copied into the trial, and the attempt loads the copy", async () => {
  const source = "class Mine: pass\n";
  const file = join(tempFolder(), "a:b.py");
  writeFileSync(file, source);
  const made = makeQueue([withFusion(file, source)]);
  const attempt = await made.queue.next(signal);
  if (attempt?.spec.kind !== "cliprpn") throw new Error("the trial waits");
  const copy = made.trial(attempt.spec).fusionFile;
  expect(readFileSync(copy, "utf8")).toBe(source);
  expect(attempt.spec.settings.fusion).toMatchObject({ file: `${copy}:Mine` });
});

test("a fusion's file may be edited or removed while the sweep runs", async () => {
  const source = "class Mine: pass\n";
  const file = join(tempFolder(), "mine.py");
  writeFileSync(file, source);
  const specs = [0, 1].map((seed) => ({
    ...withFusion(file, source),
    trial_id: String(seed).repeat(16),
    seed,
  }));
  const made = makeQueue(specs);
  writeFileSync(file, "class Mine: later = True\n");
  await made.queue.next(signal);
  rmSync(file);
  await made.queue.next(signal);
  for (const spec of specs) expect(readFileSync(made.trial(spec).fusionFile, "utf8")).toBe(source);
});

test.each([
  "class Mine: later = True\n",
  undefined,
])("a fusion's file that has changed to %j since the plan is refused before any trial", (text) => {
  const file = join(tempFolder(), "mine.py");
  if (text !== undefined) writeFileSync(file, text);
  const error = errorOf(() => makeQueue([withFusion(file, "class Mine: pass\n")]));
  expect(error.code).toBe("fusion_invalid");
  expect(error.message).toContain(file);
});
