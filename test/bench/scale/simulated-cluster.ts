/** A launcher whose workers, nodes and shared folder are simulated in virtual time; the files of the attempts are real. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { CliprpnError } from "../../../src/contract/errors.ts";
import type { ErrorCode, TrialEvent } from "../../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../../src/engine/engine.ts";
import type { Attempt, AttemptEnd, Launcher, Told } from "../../../src/engine/launcher.ts";
import { EventQueue } from "./event-queue.ts";
import { writeCompleted, writeFailed } from "./worker-files.ts";

/** What becomes of an attempt, and how often. */
export const fates = {
  completes: 0.78,
  /** Its loss is not finite: it fails with an outcome. */
  fails: 0.02,
  /** Its process is gone. */
  crashes: 0.05,
  /** The kernel killed its process. */
  killed: 0.005,
  /** The cluster takes its worker away. */
  preempted: 0.06,
  /** Its worker sends no heartbeat for longer than the lease and is given up; it completes the attempt later. */
  freezes: 0.04,
  /** Its node dies just after its outcome was written, which the controller's machine may not see yet. */
  dies_after_outcome: 0.045,
} as const;
export type Fate = keyof typeof fates;

export interface ClusterOptions {
  /** In [0, 1). */
  random: () => number;
  /** Time until the controller's machine sees what a worker writes, and a worker what the controller writes. */
  visibility_s: number;
  /** Called for each attempt that was submitted. */
  began: (attempt: Attempt, fate: Fate) => void;
  /** Runs what only the simulation does, whose time is not the controller's. */
  simulate: <Result>(work: () => Result) => Result;
}

interface Running {
  attempt: Attempt;
  fate: Fate;
  slot: number;
  started_s: number;
  duration_s: number;
  /** Of its progress events. */
  numTold: number;
  isStartTold: boolean;
}

/** All times are virtual. Like a launcher for clusters, it looks at its files and at the queue of the cluster every two seconds. */
export class SimulatedCluster implements Launcher {
  readonly #options: ClusterOptions;
  readonly #slots: readonly string[];
  readonly #tell: (told: Told) => void;
  readonly #queue = new EventQueue<() => void>();
  /** What the next look finds. It reads an outcome when it is told. */
  #found: (() => Told)[] = [];
  readonly #running = new Map<Attempt, Running>();
  /** Trials of which an attempt runs, as the controller knows it. */
  readonly #trials = new Set<string>();
  readonly #freeSlots: number[] = [];
  #numWanted = 0;
  #now_s = 0;
  #isClosed = false;
  #onChange: () => void = () => undefined;

  constructor({ slots, tell }: LaunchOptions, options: ClusterOptions) {
    this.#slots = slots;
    this.#tell = tell;
    this.#options = options;
    void this.#live();
  }

  get now_s(): number {
    return this.#now_s;
  }

  async attach(): Promise<void> {}

  want(numAttempts: number): void {
    for (; this.#numWanted < Math.min(numAttempts, this.#slots.length); this.#numWanted += 1)
      this.#restart(this.#numWanted, 0);
  }

  submit(attempt: Attempt): void {
    this.#options.simulate(() => this.#begin(attempt));
  }

  cancel(attempt: Attempt): void {
    this.#after(0, () => this.#end(attempt, () => ({ how: "canceled" })));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onChange();
  }

  /** Virtual time passes while the controller waits. */
  async #live(): Promise<void> {
    while (!this.#isClosed) {
      await nextTurn();
      if (this.#queue.size === 0)
        await new Promise<void>((resolve) => {
          this.#onChange = resolve;
        });
      this.#options.simulate(() => this.#passToNextLook());
      const found = this.#found;
      this.#found = [];
      if (!this.#isClosed) for (const message of found) this.#tell(message());
    }
  }

  #passToNextLook(): void {
    const look_s = Math.ceil(this.#queue.nextAt / lookEvery_s) * lookEvery_s;
    while (this.#queue.nextAt <= look_s) {
      this.#now_s = this.#queue.nextAt;
      this.#queue.take()?.();
    }
    this.#now_s = look_s;
  }

  #after(delay_s: number, happens: () => void): void {
    this.#queue.add(this.#now_s + delay_s, happens);
    this.#onChange();
  }

  #begin(attempt: Attempt): void {
    const { began, visibility_s } = this.#options;
    const { trial_id } = attempt.spec;
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new Error("expected at most as many attempts as there is capacity for");
    if (this.#trials.has(trial_id)) throw new Error(`expected one running attempt of ${trial_id}, found two`);
    this.#trials.add(trial_id);
    const fate = this.#drawFate();
    began(attempt, fate);
    const duration_s = this.#drawSeconds(meanTrial_s);
    const started_s = this.#now_s + visibility_s;
    const running = { attempt, fate, slot, started_s, duration_s, numTold: 0, isStartTold: false };
    this.#running.set(attempt, running);
    this.#after(visibility_s + visibility_s, () => this.#progress(running));
    const stops_s = worksToEnd.has(fate) ? duration_s : this.#options.random() * duration_s;
    this.#after(visibility_s + stops_s, () => this.#stops(running));
  }

  /** Its start or an event is seen. */
  #progress(running: Running): void {
    const { attempt, duration_s, slot } = running;
    if (this.#running.get(attempt) !== running) return;
    if (!running.isStartTold) this.#found.push(() => ({ type: "started", attempt, slot }));
    else {
      running.numTold += 1;
      const event = eventOf(running.numTold * progressEvery_s, duration_s);
      this.#found.push(() => ({ type: "event", attempt, event }));
    }
    running.isStartTold = true;
    const isLast = (running.numTold + 1) * progressEvery_s >= duration_s;
    if (!isLast) this.#after(progressEvery_s, () => this.#progress(running));
  }

  /** The worker stops working on the attempt: it has ended it, is gone, or freezes. */
  #stops({ attempt, fate }: Running): void {
    const { visibility_s, random } = this.#options;
    const toGone = {
      crashes: "worker_died",
      killed: "worker_killed",
      dies_after_outcome: "worker_died",
    } as const;
    const writeLater = (delay_s: number, write: (attempt: Attempt) => void): void =>
      this.#after(delay_s, () => write(attempt));
    const endLater = (delay_s: number, end: () => AttemptEnd): void =>
      this.#after(delay_s, () => this.#end(attempt, end));
    if (fate === "completes" || fate === "fails") {
      writeLater(visibility_s, fate === "completes" ? writeCompleted : writeFailed);
      endLater(visibility_s, () => ended(attempt));
    } else if (fate === "preempted") endLater(0, () => ({ how: "preempted", reason: "simulated" }));
    else if (fate === "freezes") {
      endLater(visibility_s + lease_s, () => ended(attempt, "worker_died"));
      writeLater(2 * visibility_s + lease_s + random() * meanTrial_s, writeCompleted);
    } else {
      if (fate === "dies_after_outcome") writeLater(visibility_s, writeCompleted);
      endLater(1, () => ended(attempt, toGone[fate]));
    }
  }

  /** The launcher finds out how an attempt ended, once. */
  #end(attempt: Attempt, end: () => AttemptEnd): void {
    const running = this.#running.get(attempt);
    if (running === undefined) return;
    const { slot, fate } = running;
    this.#running.delete(attempt);
    this.#trials.delete(attempt.spec.trial_id);
    if (!running.isStartTold) this.#found.push(() => ({ type: "started", attempt, slot }));
    if (fate === "completes" || fate === "fails") this.#freeSlots.push(slot);
    else this.#restart(slot, fate === "preempted" ? requeue_s : restart_s);
    this.#found.push(() => ({ type: "capacity", numSlots: this.#capacity }));
    this.#found.push(() => ({ type: "ended", attempt, end: end() }));
  }

  /** A worker takes a while to start. */
  #restart(slot: number, delay_s: number): void {
    this.#after(delay_s, () => {
      this.#freeSlots.push(slot);
      this.#found.push(() => ({ type: "capacity", numSlots: this.#capacity }));
    });
  }

  get #capacity(): number {
    return this.#running.size + this.#freeSlots.length;
  }

  #drawFate(): Fate {
    let left = this.#options.random();
    for (const [fate, share] of Object.entries(fates) as [Fate, number][]) {
      left -= share;
      if (left < 0) return fate;
    }
    return "completes";
  }

  /** Half to one and a half times the mean. */
  #drawSeconds(mean_s: number): number {
    return mean_s * (0.5 + this.#options.random());
  }
}

const lookEvery_s = 2;
const meanTrial_s = 600;
/** A worker whose heartbeat is older is given up. */
const lease_s = 60;
const restart_s = 15;
/** SLURM holds a requeued job for two minutes. */
const requeue_s = 120;
const progressEvery_s = 10;
const numEpochs = 12;

const worksToEnd: ReadonlySet<Fate> = new Set(["completes", "fails", "dies_after_outcome"]);

/** As a launcher decides when a worker is gone: an outcome counts. */
function ended(attempt: Attempt, code?: ErrorCode): AttemptEnd {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (code === undefined) throw new Error(`${attempt.folder}: expected an outcome, found none`);
  return { how: "error", error: new CliprpnError(code, "simulated") };
}

/** Of training until `at_s`: an epoch has ended, or progress. */
function eventOf(at_s: number, duration_s: number): TrialEvent {
  const epochAt = (s: number): number => Math.floor((numEpochs * s) / duration_s);
  const epoch = epochAt(at_s);
  if (epoch === epochAt(at_s - progressEvery_s))
    return { type: "progress", phase: "training", done: Math.round(at_s), total: Math.round(duration_s) };
  const values = { loss: 1, loss_objectness: 0.5, loss_box: 0.5, learning_rate: 1e-3, duration_ms: 1000 };
  return {
    type: "epoch",
    epoch: { epoch, num_epochs: numEpochs, ...values, val_acc_at_50: 0.5, val_miou: 0.4 },
  };
}
