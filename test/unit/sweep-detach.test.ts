import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { readOwner } from "../../src/base/owner-lock.ts";
import type { QueuedAttempt, QueuedPreparation, TrialSpec } from "../../src/contract/generated/types.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { statusText } from "../../src/runs/status-text.ts";
import { stopSweep } from "../../src/runs/stop-sweep.ts";
import { sweepStatus } from "../../src/runs/sweep-status.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import type { Place } from "../../src/sweep/machines/place.ts";
import { acceptDetached, detachTrials } from "../../src/sweep/run/detach.ts";
import { specIn } from "../helpers/estimated-sweep.ts";
import { addFeatures } from "../helpers/made-features.ts";
import { addSweep } from "../helpers/made-runs.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

let specs: TrialSpec[] = [];
let store: SweepStore;
let queue: QueueFolder;
/** For how many attempts jobs were asked. */
let asked: number | undefined;
let submit: () => void = () => undefined;

beforeEach(() => {
  specs = [0, 1, 2].map((seed) => madeSpec("film", seed));
  const runsDir = join(tempFolder(), "runs");
  addSweep(runsDir, "made", specs);
  store = new SweepStore(runsDir, "made");
  queue = new QueueFolder(store.queueFolder);
  submit = () => undefined;
  asked = undefined;
});

const place: Place = {
  slots: ["cuda of a job"],
  description: "on jobs",
  isElsewhere: true,
  launch: ({ tell }) =>
    new QueueLauncher({
      folder: store.queueFolder,
      runsDir: store.runsDir,
      numThreads: 1,
      maxAttempts: 1,
      tell,
      graceMs: 10,
      pilots: {
        want: () => undefined,
        leave: async (numAttempts) => {
          submit();
          asked = numAttempts;
        },
        close: async () => undefined,
      },
    }),
};

async function detach(): Promise<string> {
  const terminal = recordingTerminal();
  const plan = {
    name: "made",
    question: "?",
    trials: specs,
    published: [],
    keep_models: "all" as const,
    alpha: 0.05,
  };
  const command = {
    commandLine: "cliprpn sweep a.json --detach",
    engine: "slurm",
    jobDevice: "cpu",
  } as const;
  const run = { ...contextIn(store.runsDir, terminal), ...command };
  await detachTrials(store, plan, { waiting: specs, place }, { checkpoint_minutes: 7 }, run);
  return terminal.lines.join("\n");
}

function waitingFile(entry: string): string {
  const folder = join(store.queueFolder, "waiting");
  return join(folder, readdirSync(folder).find((name) => name.endsWith(`-${entry}.json`)) ?? "");
}

function waitingTrials(): string[] {
  return queue
    .waiting()
    .filter((entry) => !entry.startsWith("prepare."))
    .sort();
}

/** A worker takes an attempt, and completes it unless told otherwise. */
function work(entry: string, end: "completes" | "is running"): void {
  const claim = join(store.queueFolder, "claimed", `${entry}@pilot.json`);
  renameSync(waitingFile(entry), claim);
  const { params } = JSON.parse(readFileSync(claim, "utf8")) as QueuedAttempt;
  if (end === "is running") return;
  writeFileSync(join(params.folder, "outcome.json"), JSON.stringify(madeOutcome(params.spec)));
  queue.tryEnd(entry, { how: "outcome", pilot: "pilot", reason: "", error: null });
}

test("what trials share is made first, before workers take a trial; it is followed when the sweep runs again", async () => {
  await detach();
  const file = join(store.queueFolder, "first/prepare.1.json");
  const queued: QueuedPreparation = JSON.parse(readFileSync(file, "utf8"));
  expect(queued.params.spec.parts.map(({ make }) => make)).toEqual(["features"]);
  expect(queued.log_file).toBe(store.preparations.at(1).logFile);
  const launcher = place.launch({ slots: [], tell: () => undefined });
  expect(launcher.leftPreparation?.()).toBe(1);
  await launcher.close();
});

test("if what trials share is in the cache, nothing is made first", async () => {
  const work = tempFolder();
  addFeatures(work);
  specs = [0, 1].map((seed) => specIn(work, "film", seed));
  await detach();
  expect(readdirSync(join(store.queueFolder, "first"))).toEqual([]);
  expect([waitingTrials().length, asked]).toEqual([2, 2]);
});

test("all trials wait for workers, whose jobs are submitted, and no process has a claim", async () => {
  expect(await detach()).toMatch(
    /Left 3 trials .*for 1 job of at most 1 h.*no others are sent.*`cliprpn sweep a\.json`.*cliprpn stop made/,
  );
  expect(asked).toBe(3);
  expect(waitingTrials()).toEqual(specs.map(({ trial_id }) => `${trial_id}.1`).sort());
  expect(existsSync(join(store.queueFolder, "stop"))).toBe(false);
  const [entry = ""] = waitingTrials();
  const queued: QueuedAttempt = JSON.parse(readFileSync(waitingFile(entry), "utf8"));
  expect(queued.params).toMatchObject({ keep_models: "all", checkpoint_minutes: 7 });
  const owners = specs.map(({ trial_id }) => readOwner(new TrialStore(store.runsDir, trial_id).claimFolder));
  expect(owners).toEqual([undefined, undefined, undefined]);
});

test("status says what workers have, and the report counts what they completed", async () => {
  await detach();
  const [first = "", second = ""] = waitingTrials();
  work(first, "completes");
  work(second, "is running");
  expect(sweepStatus(store)).toMatchObject({
    owner: null,
    left: { num_waiting: 1, num_running: 1, num_ended: 1 },
  });
  expect(statusText(sweepStatus(store)).replaceAll(/\s+/g, " ")).toMatch(
    /1 trial that run.* 1 that wait.* 1 that ended; no others are sent.*run `cliprpn sweep a\.json` to follow/,
  );
  const trial = new TrialStore(store.runsDir, first.split(".")[0] ?? "");
  expect(trial.accepted()).toEqual([]);
  acceptDetached(store);
  expect(trial.accepted().map(({ attempt }) => attempt)).toEqual([1]);
});

test("trials that are left are not left a second time", async () => {
  await detach();
  await expect(detach()).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/found 3 .*without --detach/),
  });
  expect(waitingTrials()).toHaveLength(3);
});

test("nothing is left if no job can be submitted", async () => {
  submit = () => {
    throw new Error("SLURM refused the jobs");
  };
  await expect(detach()).rejects.toThrow("SLURM refused the jobs");
  expect(queue.isOpen).toBe(false);
});

test("if no job can be submitted, a worker that joined keeps its trial, and ends after it", async () => {
  submit = () => {
    work(waitingTrials()[0] ?? "", "is running");
    throw new Error("SLURM refused the jobs");
  };
  await expect(detach()).rejects.toThrow("SLURM refused the jobs");
  expect([queue.waiting(), queue.claims().size, queue.isOpen]).toEqual([[], 1, false]);
  expect(readdirSync(join(store.queueFolder, "cancel"))).toEqual([]);
});

test("stop ends what no process follows, once; jobs of SLURM at once", async () => {
  const slurm = new StubSlurm();
  slurm.setJob("4_0", "RUNNING|n1|None");
  slurm.setJob("4_1", "PENDING||Resources");
  await detach();
  queue.setJobName("cliprpn-made-1a2b");
  const terminal = recordingTerminal();
  const { signal } = new AbortController();
  const asking = { terminal, commandLine: "cliprpn stop made", signal, env: slurm.env };
  await stopSweep(store, undefined, asking);
  expect(terminal.lines.join()).toMatch(/2 jobs of SLURM canceled/);
  expect(slurm.canceled()).toEqual([expect.stringMatching(/--name=cliprpn-made-1a2b$/)]);
  expect(queue.isOpen).toBe(false);
  await expect(stopSweep(store, undefined, asking)).rejects.toMatchObject({ code: "bad_input" });
});

test("stop lets workers that joined end their trials", async () => {
  await detach();
  const terminal = recordingTerminal();
  const { signal } = new AbortController();
  await stopSweep(store, undefined, { terminal, commandLine: "", signal });
  expect(terminal.lines.join()).toMatch(/its workers end after the trials/);
  expect(queue.isOpen).toBe(false);
  expect(queue.waiting()).toEqual([]);
  await detach();
  expect(waitingTrials()).toEqual(specs.map(({ trial_id }) => `${trial_id}.2`).sort());
});
