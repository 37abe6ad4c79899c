import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TrialEvent, TrialOutcome, TrialSpec } from "../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Launcher, Told } from "../../src/engine/launcher.ts";
import { LocalEngine, type LocalEngineOptions } from "../../src/engine/local/local-engine.ts";
import type { NewEntry } from "../../src/store/journal.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type PreparationWatcher, prepareFeatures } from "../../src/sweep/prepare/prepare-features.ts";
import { SweepController } from "../../src/sweep/run/controller.ts";
import { TrialClaims } from "../../src/sweep/run/trial-claims.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";
import type { AttemptWatcher } from "../../src/sweep/view/attempt-watcher.ts";
import { fakeSpec } from "./fake-spec.ts";
import { type LauncherKind, localKind, workersOf } from "./launcher-kinds.ts";
import { type MarkedProcesses, markProcesses, untilNone } from "./processes.ts";
import { faultsFolder, testPython } from "./python.ts";
import { tempFolder } from "./temp-folder.ts";

/** A real engine whose trials end as their labels say, without torch: see test/python/faults/trial_faults.py. */
export interface FakeSweep {
  /** The runs folder. */
  folder: string;
  engine: LocalEngine;
  trials: TrialSpec[];
  processes: MarkedProcesses;
  controller: AbortController;
  watcher: RecordingWatcher;
  /** What the controller has recorded in the journal. */
  entries: NewEntry[];
  /** All that the launcher told, in order. */
  told: Told[];
  /** Called with what the launcher tells, before the controller hears of it. */
  onTold: (told: Told) => void;
  /** Ends a trial, by its number, as `cliprpn stop SWEEP TRIAL` does. */
  cancel: (trial: number) => boolean;
  store(trial: number): TrialStore;
  /** The sweep's folder, with what was prepared. */
  sweepStore: SweepStore;
  /** Called when the preparation sends an event. */
  onPreparationEvent: () => void;
  /** Ids of the processes whose end loses their attempts. */
  workers(): number[];
  /** Called when a trial runs in another process. */
  onWait: () => void;
  run(): Promise<void>;
  /** Folder of the first attempt of a trial, by its number. */
  attemptFolder(trial: number): string;
  /** By label; of the last trial with this label. */
  outcome(label: string): TrialOutcome | undefined;
  /** Closes the engine. @throws if a process is still running. */
  close(): Promise<void>;
}

export interface FakeSweepOptions {
  hello?: string;
  numSlots?: number;
  kind?: LauncherKind;
  leaseMs?: number;
  runsDir?: string;
  /** Makes what trials share, as a trial with this label would end; nothing is made by default. */
  preparing?: string | undefined;
}

/** Records the calls of the engine in order: `started good`, `event slow`, `finished good completed`. */
export interface RecordingWatcher extends AttemptWatcher {
  lines: string[];
  /** By trial id. */
  outcomes: Map<string, TrialOutcome>;
  onEvent: (spec: TrialSpec, event: TrialEvent) => void;
}

export function fakeSweep(
  labels: string[],
  options: Partial<LocalEngineOptions> & FakeSweepOptions = {},
): FakeSweep {
  const {
    hello = "",
    numSlots = 1,
    kind = localKind,
    leaseMs = 60_000,
    runsDir,
    preparing,
    ...changes
  } = options;
  const folder = runsDir ?? tempFolder();
  const processes = markProcesses();
  const controller = new AbortController();
  const env = { ...processes.env, HELLO: hello, HELLO_FILE: join(folder, "hello") };
  const engine = new LocalEngine({
    python: testPython(),
    device: "cpu",
    numThreads: null,
    logFile: join(folder, "engine.log"),
    module: "trial_faults",
    extraModulePath: [faultsFolder],
    env,
    signal: controller.signal,
    ...changes,
  });
  const trials = labels.map((label, index) => fakeSpec(label, index, folder));
  const told: Told[] = [];
  const watcher = recordingWatcher(() => sweep.onWait());
  const close = async (): Promise<void> => {
    await engine.close();
    await untilNone(processes);
  };
  onTestFinished(() => engine.close());
  const record = ({ slots, tell }: LaunchOptions): LaunchOptions => ({
    slots,
    tell: (each) => {
      told.push(each);
      sweep.onTold(each);
      tell(each);
    },
  });
  const { graceMs = 5000, trialTimeoutMs } = options;
  const prepare = (launcher: Launcher, signal: AbortSignal): Promise<void> =>
    prepareFeatures([fakeSpec(preparing ?? "", 99, folder)], {
      store: sweep.sweepStore,
      launcher,
      slots: ["cpu"],
      watcher: preparationWatcher(watcher.lines, () => sweep.onPreparationEvent()),
      record: (entry) => sweep.entries.push(entry),
      signal,
    });
  const setup = { runsDir: folder, engine, env, graceMs, trialTimeoutMs, leaseMs };
  const open = (launchOptions: LaunchOptions): Launcher => kind.launch(setup, launchOptions);
  const sweep: FakeSweep = {
    folder,
    engine,
    trials,
    processes,
    controller,
    watcher,
    entries: [],
    told,
    onTold: () => undefined,
    sweepStore: new SweepStore(folder, "test"),
    onPreparationEvent: () => undefined,
    cancel: () => false,
    onWait: () => undefined,
    run: async () => {
      const claims = new TrialClaims(trials, { runsDir: folder, keep_models: "all", command: "test" });
      const sweepController = new SweepController({
        source: new GridSource(trials),
        claims,
        slots: Array.from({ length: numSlots }, () => "cpu"),
        launch: (launchOptions) => open(record(launchOptions)),
        watcher,
        record: (entry) => sweep.entries.push(entry),
        ...(preparing === undefined ? {} : { prepare: (launcher, _, signal) => prepare(launcher, signal) }),
      });
      sweep.cancel = (trial) =>
        sweepController.cancel(trials[trial]?.trial_id ?? "", { state: "canceled", reason: "by the test" });
      try {
        await sweepController.run(controller.signal);
      } finally {
        await claims.close();
      }
    },
    outcome: (label) =>
      watcher.outcomes.get(trials.findLast((trial) => trial.label === label)?.trial_id ?? ""),
    store: (trial) => new TrialStore(folder, trials[trial]?.trial_id ?? ""),
    attemptFolder: (trial) => sweep.store(trial).attempt(1).folder,
    workers: () => workersOf(kind, processes),
    close,
  };
  return sweep;
}

function preparationWatcher(lines: string[], onEvent: () => void): PreparationWatcher {
  return {
    preparationWaits: () => undefined,
    preparationStarted: () => void lines.push("preparing"),
    preparationEvent: onEvent,
    preparationEnded: (_, end) => void lines.push(`preparation ${end?.state ?? "never started"}`),
  };
}

function recordingWatcher(onWait: () => void): RecordingWatcher {
  const lines: string[] = [];
  const outcomes = new Map<string, TrialOutcome>();
  return {
    lines,
    outcomes,
    onEvent: () => undefined,
    started: ({ spec }) => void lines.push(`started ${spec.label}`),
    event({ spec }, _slot, event) {
      lines.push(`event ${spec.label}`);
      this.onEvent(spec, event);
    },
    finished({ spec }, _slot, outcome) {
      lines.push(`finished ${spec.label} ${outcome?.state ?? "interrupted"}`);
      if (outcome !== undefined) outcomes.set(spec.trial_id, outcome);
    },
    again: ({ label }) => void lines.push(`again ${label}`),
    found: () => undefined,
    waiting: onWait,
  };
}
