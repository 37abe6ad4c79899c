/**
 * Runs trials that do nothing through queue, store and journal as a sweep does, without Python. Prints the time of each, and of
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

export interface StoreFigures {
  num_trials: number;
  syncs_per_trial: number;
  /** Means of all trials, of the first thousand and of the last thousand. */
  trial_ms: Parts;
  /** The same for the bare writes and syncs. */
  bare_ms: Parts;
  /** Growth of this process between the thousandth trial and the last one, after collecting garbage. */
  growth_bytes: number;
}

interface Parts {
  all: number;
  first: number;
  last: number;
}

const partSize = 1000;
const batchSize = 10;

async function main(folder: string, numTrials: number): Promise<void> {
  const syncs = await recordSyncs();
  await runTrials(join(folder, "warm-up"), madeTrials(batchSize), () => undefined);
  const trial_ms = new Float64Array(numTrials);
  const bare_ms = new Float64Array(numTrials);
  let [numSyncs, memory] = [0, 0];
  const afterTrial = (index: number, ms: number): void => {
    trial_ms[index] = ms;
    if (index + 1 === partSize) memory = memoryBytes();
    if ((index + 1) % batchSize !== 0) return;
    const recorded = syncs.splice(0);
    const bare = join(folder, "bare", String(index));
    bare_ms.fill(repeatSyncs(recorded, bare) / batchSize, index + 1 - batchSize, index + 1);
    numSyncs += recorded.length;
  };
  syncs.length = 0;
  await runTrials(join(folder, "runs"), madeTrials(numTrials), afterTrial, () => syncs.splice(0));
  const figures: StoreFigures = {
    num_trials: numTrials,
    syncs_per_trial: numSyncs / numTrials,
    trial_ms: parts(trial_ms),
    bare_ms: parts(bare_ms),
    growth_bytes: memoryBytes() - memory,
  };
  process.stdout.write(JSON.stringify(figures));
}

/** Runs the trials one after the other. */
async function runTrials(
  runsDir: string,
  trials: { spec: ReportTrial["spec"]; outcome: CompletedOutcome }[],
  afterTrial: (index: number, ms: number) => void,
  onStart?: () => void,
): Promise<void> {
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
  });
  const { signal } = new AbortController();
  onStart?.();
  for (const [index, { outcome }] of trials.entries()) {
    const started = performance.now();
    const attempt = await queue.next(signal);
    if (attempt === undefined) throw new Error(`expected ${trials.length} attempts, found ${index}`);
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
    afterTrial(index, performance.now() - started);
  }
  await queue.close();
  journal.close();
  await lock.release();
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

function parts(values: Float64Array): Parts {
  const mean = (part: Float64Array): number => part.reduce((sum, value) => sum + value, 0) / part.length;
  return {
    all: mean(values),
    first: mean(values.subarray(0, partSize)),
    last: mean(values.subarray(-partSize)),
  };
}

function memoryBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run this with --expose-gc");
  globalThis.gc();
  return process.memoryUsage().rss;
}

await main(process.argv[2] ?? "", Number(process.argv[3]));
