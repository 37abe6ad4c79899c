import type { CliprpnError } from "../../contract/errors.ts";
import type { PilotFacts, SlurmOptions } from "../../contract/generated/types.ts";
import { FailedStarts } from "../queue/failed-starts.ts";
import { describeSlowStart, type SlowStart } from "../queue/slow-start.ts";
import type { ListedJob } from "./squeue.ts";

interface JobRecord {
  submittedAt: number;
  /** Empty if it was never seen running. */
  node: string;
  /** The state that its worker reported last; undefined if it never did. */
  pilot: PilotFacts["state"] | undefined;
  /** When it was first seen running; undefined while it does not run. */
  runsSince: number | undefined;
  isTooSlow: boolean;
}

/** What became of the jobs of a sweep. */
export class JobRecords {
  readonly #jobs = new Map<string, JobRecord>();
  readonly #failed = new FailedStarts();
  #hasStarted: boolean;

  /** @param mayHaveJobs whether an earlier process may have submitted jobs. */
  constructor(mayHaveJobs = false) {
    this.#hasStarted = mayHaveJobs;
  }

  /** Whether a job was submitted, or found, or may be there. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  submitted(array: string, numJobs: number, now: number): void {
    this.#hasStarted = true;
    for (let task = 0; task < numJobs; task += 1) this.#jobs.set(`${array}_${task}`, newJob(now));
  }

  /** A worker of a job was seen. */
  reports({ id, node }: { id: string; node: string }, { state, error }: PilotFacts): void {
    const job = this.#jobs.get(id);
    if (job === undefined || job.pilot === state) return;
    const wasReady = job.pilot === "ready";
    Object.assign(job, { pilot: state, node });
    if (state === "ready") this.#failed.ready(job.node);
    // One that was ready met an error of the disk, which its attempt tells.
    if (state === "refused" && !wasReady) this.#fail(id, job, error?.message);
  }

  /** @param begunAt when squeue was called. */
  listed(jobs: ReadonlyMap<string, ListedJob>, begunAt: number): void {
    for (const { id, node, isRunning } of jobs.values()) {
      this.#hasStarted = true;
      const job = this.#jobs.get(id) ?? newJob(begunAt);
      if (node !== "") job.node = node;
      job.runsSince = isRunning ? (job.runsSince ?? begunAt) : undefined;
      this.#jobs.set(id, job);
    }
    const ended = [...this.#jobs].filter(([id, job]) => !jobs.has(id) && job.submittedAt < begunAt);
    for (const [id] of ended) this.#jobs.delete(id);
    for (const [id, job] of ended) if (isStarting(job) && !job.isTooSlow) this.#fail(id, job, undefined);
  }

  /** Jobs whose workers were not ready in time, each once: they count as failed. */
  tooSlow(now: number, maxMs: number): SlowStart[] {
    const slow = [...this.#jobs].filter(
      ([, job]) => isStarting(job) && !job.isTooSlow && now - (job.runsSince ?? now) >= maxMs,
    );
    return slow.map(([id, job]) => {
      job.isTooSlow = true;
      this.#fail(id, job, describeSlowStart(maxMs));
      return { id: `slurm:${id}`, node: job.node };
    });
  }

  /** The error if jobs end before their workers are ready, again and again. */
  startFault(logFolder: string): CliprpnError | undefined {
    return this.#failed.fault(logFolder, {
      what: "jobs",
      advice: "Nodes need the Python of this machine, or `setup` lines that provide it, and this folder",
    });
  }

  /** Time to wait before the next jobs, which grows while they fail. */
  waitMs(): number {
    return this.#failed.waitMs();
  }

  barredNodes(): string[] {
    return this.#failed.barredNodes();
  }

  /** The options for new jobs. */
  withoutBarredNodes(options: SlurmOptions): SlurmOptions {
    const barred = this.barredNodes();
    if (barred.length === 0) return options;
    const { exclude, ...further } = options.additional_parameters ?? {};
    const nodes = [...(exclude === undefined ? [] : [String(exclude)]), ...barred];
    return { ...options, additional_parameters: { ...further, exclude: nodes.join(",") } };
  }

  #fail(id: string, { node }: JobRecord, message: string | undefined): void {
    const hasReady = [...this.#jobs.values()].some(({ pilot }) => pilot === "ready");
    this.#failed.add({ id, node, message }, node, hasReady);
  }
}

function newJob(submittedAt: number): JobRecord {
  return { submittedAt, node: "", pilot: undefined, runsSince: undefined, isTooSlow: false };
}

/** Whether its worker was never ready. */
function isStarting({ pilot }: JobRecord): boolean {
  return pilot === undefined || pilot === "starting";
}
