/**
 * Runs trials that do nothing through queue, store and journal as a sweep does, without Python. Prints the time of a trial, and of
 * the bare writes and syncs that it made, as JSON. Run with `--expose-gc`.
 */
import fs from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { CompletedOutcome, StoredExperiment } from "../../src/contract/generated/types.ts";
import type { ReportTrial } from "../../src/report/report-input.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { SweepProgress } from "../../src/sweep/progress.ts";
import { TrialQueue } from "../../src/sweep/trial-queue.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { madeInput } from "../helpers/report-input.ts";
import { recordSyncs, repeatSyncs } from "./record-syncs.ts";
import { median } from "./statistics.ts";

export interface StoreFigures {
  num_trials: number;
  syncs_per_trial: number;
  /** Means. */
  trial_ms: number;
  bare_ms: number;
  /** Medians of the last thousand trials, and of the first thousand of another sweep, in turns. */
  last_ms: number;
  first_ms: number;
  /** Growth of the memory that this process uses since the thousandth trial, after collecting garbage. */
  growth_bytes: number;
}

const partSize = 1000;
const batchSize = 10;

async function main(folder: string, numTrials: number): Promise<void> {
  const syncs = await recordSyncs();
  const warmUp = await openSweep(join(folder, "warm-up"), 100);
  await warmUp.run(100);
  await warmUp.close();
  const few = await openSweep(join(folder, "few"), partSize);
  const many = await openSweep(join(folder, "many"), numTrials);
  const [all, last, first]: [number[], number[], number[]] = [[], [], []];
  let [bareMs, numSyncs, memory] = [0, 0, 0];
  while (all.length < numTrials) {
    if (all.length === partSize) memory = memoryBytes();
    const isLast = all.length >= numTrials - partSize;
    syncs.length = 0;
    const trial_ms = await many.run(batchSize);
    numSyncs += syncs.length;
    bareMs += repeatSyncs([...syncs], join(folder, "bare", String(all.length)));
    all.push(...trial_ms);
    if (!isLast) continue;
    last.push(...trial_ms);
    first.push(...(await few.run(batchSize)));
  }
  const figures: StoreFigures = {
    num_trials: numTrials,
    syncs_per_trial: numSyncs / numTrials,
    trial_ms: all.reduce((sum, value) => sum + value, 0) / numTrials,
    bare_ms: bareMs / numTrials,
    last_ms: median(last),
    first_ms: median(first),
    growth_bytes: memoryBytes() - memory,
  };
  await Promise.all([few.close(), many.close()]);
  process.stdout.write(JSON.stringify(figures));
}

interface OpenSweep {
  /** Runs the next trials, one after the other. @returns the time of each in ms. */
  run(num: number): Promise<number[]>;
  close(): Promise<void>;
}

async function openSweep(runsDir: string, numTrials: number): Promise<OpenSweep> {
  const trials = madeTrials(numTrials);
  const specs = trials.map(({ spec }) => spec);
  const options = { command: "cliprpn sweep many.json", onLost: () => undefined };
  const store = new SweepStore(runsDir, "many");
  const lock = await store.lock(options);
  store.write(experiment, specs);
  const journal = store.openJournal();
  const terminal = makeTerminal({ stdout: { write: () => true }, stderr: { write: () => true } });
  const progress = new SweepProgress(terminal, {
    waiting: specs,
    total: specs.length,
    numSlots: 1,
    json: false,
  });
  const queue = new TrialQueue(specs, {
    runsDir,
    keep_models: "all",
    command: options.command,
    onWait: () => undefined,
    onFound: () => undefined,
    onRetry: () => undefined,
  });
  const { signal } = new AbortController();
  const runOne = async (outcome: CompletedOutcome): Promise<void> => {
    const attempt = await queue.next(signal);
    if (attempt?.spec.trial_id !== outcome.trial_id) throw new Error(`expected trial ${outcome.trial_id}`);
    const { spec, number } = attempt;
    journal.append({ type: "trial_started", trial_id: spec.trial_id, attempt: number, slot: 0 });
    progress.started(attempt, 0);
    writeAsWorker(join(attempt.folder, "outcome.json"), outcome);
    if (!(await queue.finished(attempt, outcome))) throw new Error(`${spec.trial_id}: not accepted`);
    const { sources_sha256 } = spec;
    const ended = {
      attempt: number,
      sources_sha256,
      state: "completed",
      duration_ms: 1,
      error: null,
    } as const;
    journal.append({ type: "trial_finished", trial_id: spec.trial_id, ...ended });
    progress.finished(attempt, 0, outcome, 1);
  };
  let numRun = 0;
  return {
    async run(num) {
      const trial_ms: number[] = [];
      for (const { outcome } of trials.slice(numRun, numRun + num)) {
        const started = performance.now();
        await runOne(outcome);
        trial_ms.push(performance.now() - started);
      }
      numRun += num;
      return trial_ms;
    },
    async close() {
      await queue.close();
      journal.close();
      await lock.release();
    },
  };
}

const experiment: StoredExperiment = {
  schema_version: 1,
  name: "many",
  question: "What does a trial cost?",
  published: [],
  source: { file: "many.json", sets: [] },
  dataset: { id: "made", name: "mine", split_by: "umd" },
  keep_models: "all",
};

function madeTrials(num: number): { spec: ReportTrial["spec"]; outcome: CompletedOutcome }[] {
  const labels = Array.from({ length: num }, (_, index) => ({ label: `film ${index}`, acc: [0.5] }));
  return madeInput(labels).trials.flatMap(({ spec, outcome }) =>
    outcome?.state === "completed" ? [{ spec, outcome }] : [],
  );
}

/** Like `write_durably` of Python. */
function writeAsWorker(file: string, outcome: CompletedOutcome): void {
  const fd = fs.openSync(`${file}.new`, "wx");
  fs.writeSync(fd, `${JSON.stringify(outcome, null, 2)}\n`);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(`${file}.new`, file);
}

function memoryBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run this with --expose-gc");
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await main(process.argv[2] ?? "", Number(process.argv[3]));
