/** `status`, `stop` and `logs` while a sweep runs, whose attempts end when they are told to. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { check } from "../../src/contract/check.ts";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Attempt, AttemptEnd } from "../../src/engine/launcher.ts";
import { findLog } from "../../src/runs/find-log.ts";
import { followLog, followPreparation } from "../../src/runs/follow-log.ts";
import { statusText } from "../../src/runs/status-text.ts";
import { stopSweep } from "../../src/runs/stop-sweep.ts";
import { sweepStatus } from "../../src/runs/sweep-status.ts";
import { findPreparation } from "../../src/store/find-preparation.ts";
import { StopRequests } from "../../src/store/stop-requests.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { broken, complete, endless } from "../helpers/controlled-sweep.ts";
import { makeNothing, noCall } from "../helpers/made-preparation.ts";
import { until } from "../helpers/processes.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec, madeSummary } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { type Play, StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock("../../src/sweep/prepare/prepare-trials.ts", () => ({ prepareTrials: async () => new Map() }));
vi.mock("../../src/sweep/results/make-report.ts", () => ({
  makeReport: async () => ({ file: "REPORT.md", summary: madeSummary([{ label: "film", acc: [0.5] }]) }),
}));

const specs = [0, 1, 2].map((seed) => ({
  ...madeSpec("film", seed),
  sources_sha256: codeHashes().cliprpn,
})) as [TrialSpec, TrialSpec, TrialSpec];
const [first, second, third] = specs;

let call: Engine["call"] = noCall;
let prepare = makeNothing;
beforeEach(() => {
  call = noCall;
  prepare = makeNothing;
});
let play: Play = complete;
let launcher: StandInLauncher | undefined;

const engine: Engine = {
  launch: (options) => {
    launcher = new StandInLauncher(options, (attempt) => play(attempt), prepare);
    return launcher;
  },
  call: (method, params) => call(method, params),
  device: async () => "cpu",
  close: async () => undefined,
};

interface StartedSweep {
  store: SweepStore;
  ended: Promise<number>;
  terminal: ReturnType<typeof recordingTerminal>;
}

function start(flags: Partial<RunContext> = {}, runsDir = tempFolder()): StartedSweep {
  const terminal = recordingTerminal();
  const run: RunContext = {
    ...contextIn(runsDir, terminal),
    runsDir,
    numWorkers: 2,
    ...flags,
  };
  const experiment = { name: "made", question: "Which one?" };
  const plan = { ...experiment, published: [], keep_models: "all" as const, alpha: 0.05, trials: [...specs] };
  const source = { file: "made.json", sets: [] };
  const ended = runSweep(
    { experiment, plan, dataset: first.dataset, targets: [], source, split: "val" },
    run,
  );
  return { store: new SweepStore(runsDir, "made"), ended, terminal };
}

/** Attempts that run until `release`, by seed. */
function held(): { attempts: Map<number, Attempt>; release: () => void; hold: Play } {
  const attempts = new Map<number, Attempt>();
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold: Play = async (attempt) => {
    attempts.set(attempt.spec.seed, attempt);
    await released;
    return complete(attempt);
  };
  return { attempts, release, hold };
}

const asking = {
  terminal: recordingTerminal(),
  commandLine: "cliprpn stop made",
  signal: new AbortController().signal,
};

test("a fault of the machine pauses a sweep: its trials stay, status says why, and the same command resumes it", async () => {
  play = async (attempt) => {
    if (attempt.spec.seed === 0) return complete(attempt);
    writeFileSync(join(attempt.folder, "resume.pt"), "");
    return broken("no_space", "/data: no space left on the disk");
  };
  const { store, ended, terminal } = start({ numWorkers: 1, commandLine: "cliprpn sweep made.json" });
  await expect(ended).rejects.toMatchObject({ code: "no_space" });
  expect(terminal.lines.at(-1)).toMatch(
    /made is paused.* 1 of 3 trials .*; 1 trial will continue .* npx cliprpn sweep made\.json$/,
  );
  expect(store.journal.entries().at(-1)).toMatchObject({ type: "sweep_paused", error: { code: "no_space" } });
  const status = sweepStatus(store);
  expect(status.paused).toMatchObject({ error: { code: "no_space" } });
  expect(statusText(status).replaceAll(/\s+/g, " ")).toMatch(
    /paused .* UTC; .* no_space: \/data: no space left .* 1 of 3 trials completed/,
  );
  play = complete;
  expect(await start({}, store.runsDir).ended).toBe(0);
  expect(sweepStatus(store).paused).toBeNull();
});

test("stop ends a sweep as Ctrl-C does; the same command resumes it", async () => {
  const { attempts, hold } = held();
  play = hold;
  const { store, ended } = start();
  const end = expect(ended).rejects.toMatchObject({
    code: "interrupted",
    message: expect.stringContaining("cliprpn stop made"),
  });
  await until(() => attempts.size === 2);
  await stopSweep(store, undefined, asking);
  await end;
  expect(
    store.journal.entries().flatMap((entry) => (entry.type === "trial_finished" ? [entry.state] : [])),
  ).toEqual(["interrupted", "interrupted"]);
  play = complete;
  expect(await start({}, store.runsDir).ended).toBe(0);
});

test("stop ends one trial and no other; it runs again on request", async () => {
  const { attempts, hold, release } = held();
  play = (attempt) => (attempt.spec.seed === 0 ? endless() : hold(attempt));
  const { store, ended } = start();
  await until(() => attempts.size === 1 && (store.status()?.running.length ?? 0) === 2);
  await expect(stopSweep(store, "film", asking)).rejects.toThrow(/film, seed 0.*film, seed 1/);
  await stopSweep(store, first.trial_id, asking);
  release();
  expect(await ended).toBe(3);
  const { failures, num_completed } = sweepStatus(store);
  expect(num_completed).toBe(2);
  expect(failures).toMatchObject([{ trial: "film, seed 0", error: { code: "canceled" } }]);
  play = complete;
  expect(await start({}, store.runsDir).ended).toBe(3);
  expect(await start({ retryFailed: true }, store.runsDir).ended).toBe(0);
});

test("stop refuses a sweep, or a trial, that does not run", async () => {
  play = complete;
  const { store, ended } = start();
  await ended;
  await expect(stopSweep(store, undefined, asking)).rejects.toMatchObject({ code: "bad_input" });
  await expect(stopSweep(store, "film", asking)).rejects.toMatchObject({ code: "bad_input" });
});

test("stop of a trial that waits, has completed or failed says so, and what runs", async () => {
  const { attempts, hold, release } = held();
  play = ({ spec, ...attempt }) => (spec.seed === 0 ? broken("loss_not_finite") : hold({ spec, ...attempt }));
  const { store, ended } = start({ numWorkers: 1 });
  await until(() => attempts.has(1) && (store.status()?.running ?? []).some(({ seed }) => seed === 1));
  const stopped = (trial: string) => expect(stopSweep(store, trial, asking)).rejects;
  await stopped(third.trial_id.slice(0, 6)).toThrow(/film, seed 2 .*not started.*Those are: film, seed 1 \(/);
  await stopped("film, seed 0").toThrow(/film, seed 0 .*loss_not_finite/);
  await stopped("").toThrow(/expected a trial that runs now/);
  await stopped("other").toThrow(/other: expected a trial that runs now\. Those are: film, seed 1/);
  release();
  expect(await ended).toBe(3);
});

test("stop of a trial that ends by itself says how it ended", async () => {
  const { attempts, hold, release } = held();
  play = hold;
  const { store, ended } = start({ numWorkers: 2 });
  await until(() => attempts.size === 2 && (store.status()?.running.length ?? 0) === 2);
  const terminal = recordingTerminal();
  release(); // The request comes too late.
  await stopSweep(store, first.trial_id, { ...asking, terminal });
  expect(await ended).toBe(0);
  expect(terminal.lines.at(-1)).toMatch(/completed, before it could be canceled/);
});

test("a request that a kill has left does not stop the next run", async () => {
  play = complete;
  const { store, ended } = start();
  await ended;
  new StopRequests(store.folder).add(null, "cliprpn stop made");
  expect(await start({}, store.runsDir).ended).toBe(0);
});

test("status shows what runs, while it runs, and the counts after", async () => {
  const { attempts, hold, release } = held();
  play = (attempt) => (attempt.spec.seed === 2 ? broken("loss_not_finite", "NaN at step 3") : hold(attempt));
  const { store, ended } = start();
  await until(() => attempts.size === 2);
  const [attempt] = attempts.values();
  if (attempt === undefined) throw new Error("the first trial runs");
  launcher?.progress(attempt, 4);
  await until(() => store.status()?.running.some(({ activity }) => activity === "training 40 %") === true);
  const text = statusText(sweepStatus(store));
  expect(text).toMatch(/^made: Which one\?\n {2}running: .*\n\nmade: 0 of 3 trials done\nabout /);
  expect(text).toMatch(
    new RegExp(`^ {3}0 {2}film, seed 0 +${first.trial_id.slice(0, 8)} +training 40 % +\\d+ s$`, "m"),
  );
  expect(text).toMatch(/^completed, on val/m);
  release();
  expect(await ended).toBe(3);
  expect(existsSync(store.statusFile)).toBe(false);
  const after = statusText(sweepStatus(store));
  expect(after).toContain("not running");
  expect(after).toContain("2 of 3 trials completed, 1 failed");
  expect(after).toMatch(/film, seed 2 failed \(attempt 1\): loss_not_finite: NaN at step 3/);
});

test("each event of --json is valid, and the leaderboard has trials that completed before the sweep started", async () => {
  play = (attempt) =>
    attempt.spec.seed === 2 ? broken("loss_not_finite", "NaN at step 3") : complete(attempt);
  const { store, ended, terminal } = start({ json: true, numWorkers: 1 });
  expect(await ended).toBe(3);
  const events = terminal.results.map((line) => check("SweepEvent", JSON.parse(line), "--json"));
  expect(events.map((event) => (event.type === "report" ? event.type : event.state))).toEqual([
    ...["running", "completed"], // What trials share.
    ...["running", "completed"],
    ...["running", "completed"],
    ...["running", "failed"],
    "report",
  ]);
  const acc_at_50 = 0.5;
  expect(events).toContainEqual(
    expect.objectContaining({ trial_id: first.trial_id, state: "completed", attempt: 1, slot: 0, acc_at_50 }),
  );
  expect(events).toContainEqual(
    expect.objectContaining({
      error: { code: "loss_not_finite", message: "NaN at step 3" },
      runs_again: false,
    }),
  );

  const { attempts, hold, release } = held();
  play = hold;
  const second = start({ retryFailed: true }, store.runsDir);
  await until(() => attempts.size === 1 && store.status() !== undefined);
  expect(store.status()?.leaderboard).toEqual({
    confidence: 0.95,
    num_configurations: 1,
    configurations: [
      {
        label: "film",
        num_trials: 3,
        num_completed: 2,
        acc_at_50: { mean: acc_at_50, min: acc_at_50, max: acc_at_50 },
        is_upper_bound: false,
        interval: null,
      },
    ],
  });
  release();
  expect(await second.ended).toBe(0);
});

test("intervals are computed from the completed trials while others run; after the end, status has the results", async () => {
  const { attempts, hold, release } = held();
  play = (attempt) => (attempt.spec.seed === 2 ? hold(attempt) : complete(attempt));
  const asked: unknown[] = [];
  const intervals = vi.fn(async (_method: string, params: unknown) => {
    asked.push(params);
    return { intervals: [{ low: 0.4, high: 0.6 }] };
  });
  call = intervals as unknown as Engine["call"];
  const { store, ended } = start();
  const intervalNow = () => store.status()?.leaderboard?.configurations[0]?.interval;
  await until(() => attempts.size === 1 && intervalNow() != null);
  expect(intervalNow()).toEqual({ low: 0.4, high: 0.6 });
  const predictions_dirs = [first, second].map(
    ({ trial_id }) => new TrialStore(store.runsDir, trial_id).attempt(1).folder,
  );
  expect(asked).toEqual([
    { split: "val", confidence: 0.95, configurations: [{ has_seeds: true, predictions_dirs }] },
  ]);
  const numAsked = asked.length;
  expect(statusText(sweepStatus(store))).toMatch(/95 % CI\n {2}film +2 of 3 +50\.0 % +40\.0 % to 60\.0 %$/m);
  release();
  expect(await ended).toBe(0);
  const after = sweepStatus(store);
  expect(asked.length).toBe(numAsked + 1);
  expect(after.leaderboard.configurations).toMatchObject([
    { label: "film", num_completed: 3, interval: { low: 0.4, high: 0.6 } },
  ]);
  expect(statusText(after)).toMatch(/95 % CI\n {2}film +3 of 3 +50\.0 % +40\.0 % to 60\.0 %$/m);
  expect(await start({}, store.runsDir).ended).toBe(0); // Nothing has to run.
  expect(sweepStatus(store).leaderboard).toEqual(after.leaderboard);
  // With another result, the interval is not theirs.
  const journal = join(store.folder, "journal.jsonl");
  const changed = readFileSync(journal, "utf8").replace('"acc_at_50":0.5}\n', '"acc_at_50":0.4}\n');
  writeFileSync(journal, changed);
  expect(sweepStatus(store).leaderboard.configurations).toMatchObject([{ num_completed: 3, interval: null }]);
  const again = store.journal.open();
  again.append({ type: "sweep_started", num_trials: 3, command: "cliprpn sweep made.json" });
  again.close();
  expect(statusText(sweepStatus(store))).toMatch(/min to max of seeds\n {2}film +3 of 3 +46\.7 %/m);
});

test("without intervals the sweep goes on, and says once why there are none", async () => {
  const { attempts, hold, release } = held();
  play = (attempt) => (attempt.spec.seed === 2 ? hold(attempt) : complete(attempt));
  const { ended, terminal } = start();
  await until(() => attempts.size === 1 && terminal.lines.some((line) => line.startsWith("warning: ")));
  release();
  expect(await ended).toBe(0);
  expect(terminal.lines.filter((line) => /no call is expected/.test(line))).toHaveLength(1);
});

test("with fail-fast no trial starts after a failure, and the message says how to go on", async () => {
  play = () => broken("loss_not_finite");
  const { store, ended, terminal } = start({ numWorkers: 1, maxFailures: 1 });
  expect(await ended).toBe(3);
  expect(new TrialStore(store.runsDir, second.trial_id).attempts()).toEqual([]);
  expect(terminal.lines.join("\n")).toMatch(/Stopped after 1 failed trial.*--retry-failed/);
});

test("logs follows an attempt until its end", async () => {
  const { attempts, hold, release } = held();
  play = hold;
  const { store, ended } = start();
  await until(() => attempts.has(0));
  const trial = new TrialStore(store.runsDir, first.trial_id);
  const { logFile } = trial.attempt(1);
  writeFileSync(logFile, "epoch 1/3: lo");
  const log = followed(trial, 1);
  await until(() => log.text() !== "");
  appendFileSync(logFile, "ss 0.5 \u2713\n");
  await until(() => log.text().endsWith("\u2713\n"));
  writeFileSync(logFile, "again\n"); // It has become shorter.
  await until(() => log.text().endsWith("again\n"));
  release();
  await ended;
  await log.ended;
  expect(log.text()).toBe("epoch 1/3: loss 0.5 \u2713\nagain\n");
  expect(log.notes).toEqual([]);
});

test("logs follows a trial from before its start over its attempts to its end", async () => {
  const ends = new Map<string, (end: AttemptEnd) => void>();
  play = ({ spec, number, folder }) => {
    writeFileSync(join(folder, "worker.log"), `seed ${spec.seed}, attempt ${number}\n`);
    return new Promise((resolve) => ends.set(`${spec.seed}/${number}`, resolve));
  };
  const end = async (key: string, how: AttemptEnd): Promise<void> => {
    await until(() => ends.has(key));
    ends.get(key)?.(how);
  };
  const { store, ended } = start({ numWorkers: 1 });
  await until(() => ends.has("0/1"));
  const trial = new TrialStore(store.runsDir, second.trial_id);
  await expect(followed(trial, undefined, false).ended).rejects.toThrow(/waits in made/);
  const log = followed(trial, undefined);
  await until(() => log.notes.length > 0);
  await end("0/1", broken("loss_not_finite"));
  await end("1/1", broken("worker_died"));
  await end("1/2", broken("worker_died"));
  await end("1/3", broken("loss_not_finite"));
  await log.ended;
  expect(log.notes).toEqual(["the trial waits in made", "attempt 1", "attempt 2", "attempt 3"]);
  expect(log.text()).toBe("seed 1, attempt 1\nseed 1, attempt 2\nseed 1, attempt 3\n");
  const failed = followed(new TrialStore(store.runsDir, first.trial_id), undefined);
  await failed.ended; // The sweep still runs, but does not run it again.
  expect(failed.text()).toBe("seed 0, attempt 1\n");
  await end("2/1", broken("loss_not_finite"));
  expect(await ended).toBe(3);
});

test("a trial that has not started is found by its id; Ctrl-C ends waiting for it", async () => {
  const { attempts, hold, release } = held();
  play = hold;
  const { store, ended } = start({ numWorkers: 1 });
  await until(() => attempts.has(0));
  const { trial, attempt } = findLog(third.trial_id.slice(0, 8), {
    runsDir: store.runsDir,
    cwd: store.folder,
  });
  expect([trial.trial_id, attempt]).toEqual([third.trial_id, undefined]);
  const asked = () => findLog("ffff", { runsDir: store.runsDir, cwd: store.folder });
  expect(asked).toThrow(/ffff.*found none/);
  const stop = new AbortController();
  const log = followed(trial, undefined, true, stop.signal);
  await until(() => log.notes.length > 0);
  stop.abort();
  await expect(log.ended).rejects.toThrow(/abort/i);
  release();
  await ended;
});

test("stop ends a sweep that still prepares for its trials; status and logs show what it does", async () => {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  prepare = ({ logFile }, { onStarted, onEvent, signal }) =>
    new Promise((resolve) => {
      onStarted("n2 cuda:0, pid 7");
      writeFileSync(logFile, "image features\n");
      onEvent({ type: "progress", phase: "image_features", done: 40, total: 100 });
      signal.addEventListener("abort", () => resolve({ how: "canceled" }));
      begin();
    });
  const { store, ended } = start();
  const end = expect(ended).rejects.toMatchObject({ code: "interrupted" });
  await begun;
  await until(() => store.status()?.preparing !== undefined);
  expect(statusText(sweepStatus(store))).toMatch(
    /^preparing for \d+ s on n2 cuda:0, pid 7: CLIP image features 40 %$/m,
  );
  const found = findPreparation("made/prepare", { runsDir: store.runsDir, cwd: "/" });
  expect(found?.attempt).toBe(1);
  const parts: string[] = [];
  const reader = { write: (part: string) => void parts.push(part), note: unexpectedNote };
  const log = followPreparation(store, 1, true, reader, asking.signal);
  await until(() => parts.join("") === "image features\n");
  await stopSweep(store, undefined, asking);
  await end;
  await log;
  expect(store.journal.entries().at(-1)).toMatchObject({
    type: "preparation_finished",
    state: "interrupted",
  });
  expect(findPreparation("made", { runsDir: store.runsDir, cwd: "/" })).toBeUndefined();
});

test("logs of a trial without an attempt, or of another attempt, names what there is", async () => {
  play = complete;
  const { store, ended } = start();
  await ended;
  const trial = new TrialStore(store.runsDir, third.trial_id);
  const reader = { write: () => undefined, note: unexpectedNote };
  const other = followLog({ trial, attempt: 7, follow: false }, reader, asking.signal);
  await expect(other).rejects.toThrow(/attempts.7.*there are 1/);
  const none = new TrialStore(join(store.runsDir, "none"), first.trial_id);
  const missing = followLog({ trial: none, attempt: undefined, follow: false }, reader, asking.signal);
  await expect(missing).rejects.toMatchObject({ code: "not_found" });
});

/** The log of a trial, read by `cliprpn logs`. */
function followed(
  trial: TrialStore,
  attempt: number | undefined,
  follow = true,
  signal = asking.signal,
): { text: () => string; notes: string[]; ended: Promise<void> } {
  const parts: string[] = [];
  const notes: string[] = [];
  const reader = {
    write: (part: string) => void parts.push(part),
    note: (line: string) => void notes.push(line),
  };
  return { text: () => parts.join(""), notes, ended: followLog({ trial, attempt, follow }, reader, signal) };
}

function unexpectedNote(line: string): void {
  throw new Error(`expected no note, found ${line}`);
}
