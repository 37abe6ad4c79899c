import { CliprpnError } from "../../contract/errors.ts";
import type { SlurmOptions, WorkerNow } from "../../contract/generated/types.ts";
import type { PilotGone, PilotSource } from "../queue/pilot-source.ts";
import type { Pilot } from "../queue/pilot-watch.ts";
import { maxStartMs, type SlowStart, slowWorker } from "../queue/slow-start.ts";
import { batchScript, defaultParallelism, jobLimits, type PilotJob } from "./batch-script.ts";
import { describeJobs } from "./describe-jobs.ts";
import { jobEnd } from "./job-end.ts";
import { JobRecords } from "./job-records.ts";
import type { Slurm } from "./slurm.ts";
import { type ListedJob, parseLabel } from "./squeue.ts";

export interface SlurmPilotsOptions {
  slurm: Slurm;
  job: PilotJob;
  options: SlurmOptions;
  /** Whether an earlier process may have left jobs: until SLURM answers, they are waited for. */
  mayHaveJobs?: boolean;
  /** Time between two looks at SLURM's queue, at least. */
  squeueMs?: number;
  /** Time of a job until its worker is ready, at most. */
  maxStartMs?: number;
  now?: () => number;
}

/** SLURM's queue at a moment. */
interface Listing {
  /** Those that have not ended. */
  jobs: ReadonlyMap<string, ListedJob>;
  /** How those ended that SLURM remembers. */
  ends: ReadonlyMap<string, string>;
  /** When squeue was called: what is newer is not in it. */
  begunAt: number;
}

/**
 * Keeps as many jobs in SLURM's queue as there are attempts to run. A job that ends (at its time limit, or as its node failed) or that
 * SLURM holds back (after it was preempted) is replaced by a new one. SLURM's word about a job comes before that of its heartbeat.
 */
export class SlurmPilots implements PilotSource {
  readonly #slurm: Slurm;
  readonly #options: SlurmPilotsOptions;
  readonly limitMs: number;
  readonly #now: () => number;
  readonly #records: JobRecords;
  /** When each pilot was first seen. */
  readonly #seenAt = new Map<string, number>();
  /** Jobs of pilots that are lost: they take no attempt, but SLURM may have them still. */
  readonly #lostJobs = new Set<string>();
  readonly #slow: SlowStart[] = [];
  #pilots: readonly Pilot[] = [];
  #numWanted = 0;
  #listing: Listing | undefined;
  #nextLook = Number.NEGATIVE_INFINITY;
  /** SLURM is slow: before, it is not asked again for a pilot that has ended. */
  #restUntil = Number.NEGATIVE_INFINITY;
  #nextSubmit = Number.NEGATIVE_INFINITY;
  #round: Promise<void> | undefined;
  /** What SLURM said when it last failed; undefined when it answers. */
  #trouble: string | undefined;
  #fault: unknown;
  #isClosed = false;

  constructor(options: SlurmPilotsOptions) {
    this.#slurm = options.slurm;
    this.#options = options;
    const { timeoutMin, signalDelayS } = jobLimits(options.options);
    this.limitMs = 1000 * (60 * timeoutMin - signalDelayS);
    this.#records = new JobRecords(options.mayHaveJobs);
    this.#now = options.now ?? (() => performance.now());
  }

  want(numAttempts: number, pilots: readonly Pilot[]): string | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    this.#pilots = pilots;
    if (numAttempts > this.#numWanted) this.#nextLook = Number.NEGATIVE_INFINITY;
    this.#numWanted = numAttempts;
    const now = this.#now();
    for (const { name, facts, lost } of pilots) {
      const label = parseLabel(facts.label);
      if (label === undefined) continue;
      if (lost !== undefined && this.#seenAt.get(name) !== lostAlready) {
        this.#seenAt.set(name, lostAlready);
        if (!this.#hasRestarted(label)) this.#lostJobs.add(label.id);
      } else if (!this.#seenAt.has(name)) this.#seenAt.set(name, now);
      this.#records.reports(label, facts);
    }
    this.#forgetEnded(new Set(pilots.map(({ name }) => name)));
    if (!this.#isClosed && this.#round === undefined && now >= this.#nextLook) {
      this.#nextLook = now + (this.#options.squeueMs ?? defaultSqueueMs);
      this.#round = this.#look().finally(() => {
        this.#round = undefined;
      });
    }
    return describeJobs({
      jobs: this.#listing?.jobs,
      pilots,
      barredNodes: this.#records.barredNodes(),
      trouble: this.#trouble,
    });
  }

  gone(pilot: Pilot): PilotGone | undefined {
    const label = parseLabel(pilot.facts.label);
    const seenAt = this.#seenAt.get(pilot.name);
    if (label === undefined || seenAt === undefined || this.#listing === undefined) return undefined;
    // A listing from before the pilot started does not have it.
    if (this.#listing.begunAt <= seenAt) return undefined;
    const job = this.#listing.jobs.get(label.id);
    if (job === undefined) return jobEnd(label.id, this.#listing.ends.get(label.id));
    if (job.state === "alive" && !this.#hasRestarted(label)) return undefined;
    return { how: "preempted", reason: `SLURM put its job ${label.id} back into the queue` };
  }

  givenUp(): WorkerNow[] {
    return this.#slow.map((slow) => slowWorker(slow, this.#maxStartMs));
  }

  kill(pilot: Pilot): void {
    const label = parseLabel(pilot.facts.label);
    // The next listing says whether it is gone; if SLURM fails, the heartbeat does.
    if (label !== undefined) this.#slurm.kill(label.id).catch(() => undefined);
    this.#nextLook = Number.NEGATIVE_INFINITY;
  }

  /** @throws CliprpnError as SLURM's commands. */
  async leave(numAttempts: number): Promise<void> {
    await this.settled();
    this.#numWanted = numAttempts;
    await this.#look();
    this.#isClosed = true;
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#trouble !== undefined) throw new CliprpnError("environment_broken", this.#trouble);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
    try {
      const left = await this.#slurm.list();
      // Pilots that end when they are asked to have ended.
      for (const { id, state } of left) if (state === "alive") await this.#slurm.kill(id);
      if (left.length > 0) await this.#slurm.cancelAll();
    } catch (error) {
      // Without SLURM's help, pilots end when the queue is closed; the results must not be lost for that.
      if (!(error instanceof CliprpnError && error.code === "environment_broken")) throw error;
    }
  }

  /** Waits for what it does with SLURM now. */
  async settled(): Promise<void> {
    await this.#round;
  }

  get #maxStartMs(): number {
    return this.#options.maxStartMs ?? maxStartMs;
  }

  /** One that has ended is replaced as soon as SLURM says that its job has, too. */
  #forgetEnded(names: ReadonlySet<string>): void {
    for (const name of this.#seenAt.keys()) {
      if (names.has(name)) continue;
      this.#seenAt.delete(name);
      this.#nextLook = Math.min(this.#nextLook, this.#restUntil);
    }
  }

  /** Whether a later start of the pilot's job has a pilot: after a preemption, the job has the same number. */
  #hasRestarted({ id, restart }: { id: string; restart: number }): boolean {
    return this.#pilots.some(({ facts }) => {
      const other = parseLabel(facts.label);
      return other?.id === id && other.restart > restart;
    });
  }

  /** Looks at SLURM's queue, and changes it. */
  async #look(): Promise<void> {
    const begunAt = this.#now();
    try {
      const all = await this.#slurm.listAll();
      const jobs = all.filter(({ state }) => state !== "ended");
      const ends = new Map(all.flatMap(({ id, end }) => (end === "" ? [] : [[id, end] as const])));
      // SLURM's controller serves the whole cluster: one that is slow is asked less often.
      this.#restUntil = begunAt + maxLoad * (this.#now() - begunAt);
      this.#nextLook = Math.max(this.#nextLook, this.#restUntil);
      this.#listing = { jobs: new Map(jobs.map((job) => [job.id, job])), ends, begunAt };
      this.#records.listed(this.#listing.jobs, begunAt);
      this.#trouble = undefined;
      for (const slow of this.#records.tooSlow(begunAt, this.#maxStartMs)) {
        this.#slow.push(slow);
        this.#lostJobs.add(slow.id.replace("slurm:", ""));
      }
      // One that SLURM starts again has another pilot.
      for (const id of this.#lostJobs)
        if (this.#listing.jobs.get(id)?.state !== "alive") this.#lostJobs.delete(id);
      await this.#removeUseless(jobs);
      await this.#submitMissing(jobs);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends jobs that do no work: those of lost pilots, and those that SLURM will not start soon. */
  async #removeUseless(jobs: readonly ListedJob[]): Promise<void> {
    for (const job of jobs) {
      if (this.#lostJobs.has(job.id)) {
        await this.#slurm.kill(job.id);
        await this.#slurm.cancel(job.id);
      } else if (this.#isHeld(job)) await this.#slurm.cancel(job.id);
    }
  }

  async #submitMissing(jobs: readonly ListedJob[]): Promise<void> {
    const usable = jobs.filter((job) => !this.#isHeld(job) && !this.#lostJobs.has(job.id));
    const { array_parallelism = defaultParallelism } = this.#options.options;
    const numMissing = Math.min(this.#numWanted, array_parallelism) - usable.length;
    const { job, options } = this.#options;
    const hasOthers = usable.some(({ state }) => state === "alive");
    this.#fault ??= hasOthers ? undefined : this.#records.startFault(job.logFolder);
    if (this.#fault !== undefined || numMissing <= 0 || this.#isClosed || this.#now() < this.#nextSubmit)
      return;
    const script = batchScript(job, this.#records.withoutBarredNodes(options), numMissing);
    const array = await this.#submit(script, usable.length > 0);
    if (array === undefined) return;
    this.#records.submitted(array, numMissing, this.#now());
    this.#nextSubmit = this.#now() + this.#records.waitMs();
    this.#nextLook = this.#now() + Math.min(1000, this.#options.squeueMs ?? defaultSqueueMs);
  }

  /** @returns undefined if SLURM takes no more jobs now, while others run or wait. */
  async #submit(script: string, hasJobs: boolean): Promise<string | undefined> {
    try {
      return await this.#slurm.submit(script);
    } catch (error) {
      if (!hasJobs) throw error;
      this.#trouble = textOf(error);
      this.#nextSubmit = this.#now() + retrySubmitMs;
      return undefined;
    }
  }

  /** A SLURM that does not answer may come back while jobs run; one that refuses the first jobs ends the sweep. */
  #fail(error: unknown): void {
    const mayRecover =
      error instanceof CliprpnError && error.code === "environment_broken" && this.#records.hasStarted;
    if (mayRecover) this.#trouble = textOf(error);
    else this.#fault = error;
  }

  /** With `begin`, the person wants the jobs to wait. */
  #isHeld({ state }: ListedJob): boolean {
    return state === "held" && this.#options.options.additional_parameters?.begin === undefined;
  }
}

/** In place of the time at which a pilot was first seen. */
const lostAlready = Number.POSITIVE_INFINITY;

const defaultSqueueMs = 2000;

/** Time between two looks, in times of a look. */
const maxLoad = 20;

/** How long a limit on the number of jobs is left alone. */
const retrySubmitMs = 60_000;

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ");
}
