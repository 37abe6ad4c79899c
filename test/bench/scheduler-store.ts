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
import { SweepController } from "../../src/sweep/run/controller.ts";
import { TrialClaims } from "../../src/sweep/run/trial-claims.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";
import { SweepProgress } from "../../src/sweep/view/sweep-progress.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { madeInput } from "../helpers/report-input.ts";
import { StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { countNames, recordSyncs, repeatSyncs } from "./record-syncs.ts";
import { median } from "./statistics.ts";

export interface StoreFigures {
  num_trials: number;
  syncs_per_trial: number;
  /** Renames and hard links. */
  names_per_trial: number;
  /** Means. */
  trial_ms: number;
  bare_ms: number;
  /** CPU time of this process. */
  trial_cpu_ms: number;
  bare_cpu_ms: number;
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
  const names = countNames();
  const warmUp = await openSweep(join(folder, "warm-up"), 100);
  await warmUp.run(100);
  await warmUp.close();
  const few = await openSweep(join(folder, "few"), partSize);
  const many = await openSweep(join(folder, "many"), numTrials);
  const [all, last, first]: [number[], number[], number[]] = [[], [], []];
  let [bareMs, numSyncs, memory, trialCpuMs, bareCpuMs] = [0, 0, 0, 0, 0];
  let numNames = 0;
  while (all.length < numTrials) {
    if (all.length === partSize) memory = memoryBytes();
    const isLast = all.length >= numTrials - partSize;
    syncs.length = 0;
    const [named, cpu] = [names.num, cpuMs()];
    const trial_ms = await many.run(batchSize);
    trialCpuMs += cpuMs() - cpu;
    numNames += names.num - named;
    numSyncs += syncs.length;
    const bareCpu = cpuMs();
    bareMs += repeatSyncs([...syncs], join(folder, "bare", String(all.length)));
    bareCpuMs += cpuMs() - bareCpu;
    all.push(...trial_ms);
    if (!isLast) continue;
    last.push(...trial_ms);
    first.push(...(await few.run(batchSize)));
  }
  const figures: StoreFigures = {
    num_trials: numTrials,
    syncs_per_trial: numSyncs / numTrials,
    names_per_trial: numNames / numTrials,
    trial_ms: all.reduce((sum, value) => sum + value, 0) / numTrials,
    bare_ms: bareMs / numTrials,
    trial_cpu_ms: trialCpuMs / numTrials,
    bare_cpu_ms: bareCpuMs / numTrials,
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
  const journal = store.journal.open();
  const terminal = makeTerminal({ stdout: { write: () => true }, stderr: { write: () => true } });
  const progress = new SweepProgress(terminal, {
    name: "many",
    waiting: specs,
    total: specs.length,
    numSlots: 1,
    json: false,
  });
  const claims = new TrialClaims(specs, { runsDir, keep_models: "all", command: options.command });
  const outcomes = new Map(trials.map(({ spec, outcome }) => [spec.trial_id, outcome]));
  const ended: number[] = [];
  const gate = new Gate();
  const stop = new AbortController();
  const controller = new SweepController({
    source: new GridSource(specs),
    claims,
    slots: ["cpu"],
    launch: (launch) =>
      new StandInLauncher(launch, async ({ spec, folder }) => {
        await gate.pass();
        const outcome = outcomes.get(spec.trial_id);
        if (outcome === undefined) throw new Error(`expected an outcome of ${spec.trial_id}`);
        writeAsWorker(join(folder, "outcome.json"), outcome);
        return { how: "outcome", outcome };
      }),
    record: (entry) => journal.append(entry),
    watcher: {
      started: (...started) => progress.started(...started),
      event: (...event) => progress.event(...event),
      finished: (...finished) => {
        progress.finished(...finished);
        ended.push(performance.now());
        gate.ended();
      },
      again: unexpected,
      found: unexpected,
      waiting: unexpected,
    },
  });
  const running = controller.run(stop.signal);
  return {
    async run(num) {
      const started = performance.now();
      ended.length = 0;
      await gate.open(num);
      return ended.map((at, index) => at - (ended[index - 1] ?? started));
    },
    async close() {
      stop.abort();
      await running;
      await claims.close();
      journal.close();
      await lock.release();
    },
  };
}

/** Lets a number of trials end, and waits until they have. */
class Gate {
  #numOpen = 0;
  #numRunning = 0;
  #onOpen: () => void = () => undefined;
  #onEnded: () => void = () => undefined;

  async open(num: number): Promise<void> {
    this.#numOpen = num;
    this.#numRunning = num;
    const ended = new Promise<void>((resolve) => {
      this.#onEnded = resolve;
    });
    this.#onOpen();
    await ended;
  }

  async pass(): Promise<void> {
    while (this.#numOpen === 0)
      await new Promise<void>((resolve) => {
        this.#onOpen = resolve;
      });
    this.#numOpen -= 1;
  }

  ended(): void {
    this.#numRunning -= 1;
    if (this.#numRunning === 0) this.#onEnded();
  }
}

function unexpected(): never {
  throw new Error("another process runs these trials, or one of them failed");
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

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function memoryBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run this with --expose-gc");
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await main(process.argv[2] ?? "", Number(process.argv[3]));
