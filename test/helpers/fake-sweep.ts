import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TrialEvent, TrialOutcome, TrialSpec } from "../../src/contract/generated/types.ts";
import type { TrialWatcher } from "../../src/engine/engine.ts";
import { LocalEngine, type LocalEngineOptions } from "../../src/engine/local/local-engine.ts";
import { presets } from "../../src/experiment/presets.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { type MarkedProcesses, markProcesses, untilNone } from "./processes.ts";
import { faultsFolder, testPython } from "./python.ts";
import { tempFolder } from "./temp-folder.ts";

/** A real engine whose trials end as their labels say, without torch: see test/python/faults/trial_faults.py. */
export interface FakeSweep {
  folder: string;
  engine: LocalEngine;
  store: SweepStore;
  trials: TrialSpec[];
  processes: MarkedProcesses;
  controller: AbortController;
  watcher: RecordingWatcher;
  run(): Promise<void>;
  /** By label; of the last trial with this label. */
  outcome(label: string): TrialOutcome | undefined;
  /** Closes the engine. @throws if a process is still running. */
  close(): Promise<void>;
}

/** Records the calls of the engine in order: `started good`, `event slow`, `finished good completed`. */
export interface RecordingWatcher extends TrialWatcher {
  lines: string[];
  onEvent: (spec: TrialSpec, event: TrialEvent) => void;
}

export function fakeSweep(
  labels: string[],
  options: Partial<LocalEngineOptions> & { hello?: string } = {},
): FakeSweep {
  const folder = tempFolder();
  const processes = markProcesses();
  const controller = new AbortController();
  const { hello = "", ...changes } = options;
  const engine = new LocalEngine({
    python: testPython(),
    device: "cpu",
    numThreads: null,
    numSlots: 1,
    logFile: join(folder, "engine.log"),
    module: "trial_faults",
    extraPythonPath: faultsFolder,
    env: { ...processes.env, HELLO: hello, HELLO_FILE: join(folder, "hello") },
    signal: controller.signal,
    ...changes,
  });
  const trials = labels.map((label, index) => fakeSpec(label, index, folder));
  const store = SweepStore.create(folder, {
    name: "fake",
    question: "What happens?",
    hash: "0",
    published: [],
    source: { file: "fake.json", sets: [] },
    trials,
  });
  const watcher = recordingWatcher();
  const close = async (): Promise<void> => {
    await engine.close();
    await untilNone(processes);
  };
  onTestFinished(() => engine.close());
  return {
    folder,
    engine,
    store,
    trials,
    processes,
    controller,
    watcher,
    run: () => engine.run(trials, store, watcher, controller.signal),
    outcome: (label) => {
      const spec = trials.findLast((trial) => trial.label === label);
      return spec === undefined ? undefined : store.outcome(spec.trial_id);
    },
    close,
  };
}

function recordingWatcher(): RecordingWatcher {
  const lines: string[] = [];
  return {
    lines,
    onEvent: () => undefined,
    started: ({ label }) => void lines.push(`started ${label}`),
    event(spec, _slot, event) {
      lines.push(`event ${spec.label}`);
      this.onEvent(spec, event);
    },
    finished: ({ label }, _slot, outcome) =>
      void lines.push(`finished ${label} ${outcome?.state ?? "interrupted"}`),
  };
}

function fakeSpec(label: string, index: number, cache_dir: string): TrialSpec {
  return {
    kind: "cliprpn",
    trial_id: index.toString(16).padStart(16, "0"),
    sources_sha256: "f".repeat(64),
    label,
    preset: "default",
    seed: index,
    num_threads: 1,
    device: "cpu",
    dataset: { id: "none", name: "none", root: "/nowhere", split_by: "umd" },
    backbone: { name: "cliprpn-tiny", weights: "shipped", weights_id: "none" },
    settings: presets.default,
    cache_dir,
  };
}
