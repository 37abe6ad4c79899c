import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { lastLines } from "../../base/output-tail.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PilotFacts, SlurmOptions } from "../../contract/generated/types.ts";
import type { ListedJob } from "./squeue.ts";

interface JobRecord {
  submittedAt: number;
  /** Empty if it was never seen running. */
  node: string;
  /** The state that its worker reported last; undefined if it never did. */
  pilot: PilotFacts["state"] | undefined;
}

/** A job that ended before its worker was ready. */
interface FailedStart {
  id: string;
  node: string;
  /** What the worker said; undefined if only the job's log says something. */
  message: string | undefined;
}

/** What became of the jobs of a sweep: jobs that end before their worker is ready must not be replaced for ever. */
export class JobRecords {
  readonly #jobs = new Map<string, JobRecord>();
  /** Since a worker was last ready. */
  readonly #failed: FailedStart[] = [];
  /** Jobs of each node that ended before their worker was ready, since one was. */
  readonly #failedOn = new Map<string, number>();
  #hasStarted = false;

  /** Whether a job was submitted, or found. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  submitted(array: string, numJobs: number, now: number): void {
    this.#hasStarted = true;
    for (let task = 0; task < numJobs; task += 1)
      this.#jobs.set(`${array}_${task}`, { submittedAt: now, node: "", pilot: undefined });
  }

  /** A worker of a job was seen. */
  reports({ id, node }: { id: string; node: string }, { state, error }: PilotFacts): void {
    const job = this.#jobs.get(id);
    if (job === undefined || job.pilot === state) return;
    Object.assign(job, { pilot: state, node });
    if (state === "ready") {
      this.#failed.length = 0;
      this.#failedOn.delete(job.node);
    }
    if (state === "refused") this.#fail(id, job.node, error?.message);
  }

  /** @param begunAt when squeue was called. */
  listed(jobs: ReadonlyMap<string, ListedJob>, begunAt: number): void {
    for (const { id, node } of jobs.values()) {
      this.#hasStarted = true;
      const job = this.#jobs.get(id) ?? { submittedAt: begunAt, node: "", pilot: undefined };
      if (node !== "") job.node = node;
      this.#jobs.set(id, job);
    }
    for (const [id, job] of this.#jobs) {
      if (jobs.has(id) || job.submittedAt >= begunAt) continue;
      this.#jobs.delete(id);
      if (job.pilot === undefined || job.pilot === "starting") this.#fail(id, job.node, undefined);
    }
  }

  /** The error if jobs end before their workers are ready, again and again. */
  startFault(logFolder: string): CliprpnError | undefined {
    const last = this.#failed.at(-1);
    if (last === undefined || this.#failed.length < maxFailed) return undefined;
    const logFile = join(logFolder, `${last.id}.log`);
    const said = last.message ?? endOf(logFile);
    return new CliprpnError(
      "environment_broken",
      `${this.#failed.length} jobs ended before their worker was ready. The last one, ${last.id}${last.node === "" ? "" : ` on ${last.node}`}: ${said === "" ? "it printed nothing" : said}\nIts log, if there is one: ${logFile}. Nodes need the Python of this machine, or \`setup\` lines that provide it, and this folder`,
    );
  }

  /** Time to wait before the next jobs, which grows while they fail. */
  waitMs(): number {
    return this.#failed.length === 0 ? 0 : Math.min(60_000, 1000 * 2 ** this.#failed.length);
  }

  barredNodes(): string[] {
    return [...this.#failedOn].filter(([, number]) => number >= maxFailedOnNode).map(([node]) => node);
  }

  /** The options for new jobs. */
  withoutBarredNodes(options: SlurmOptions): SlurmOptions {
    const barred = this.barredNodes();
    if (barred.length === 0) return options;
    const { exclude, ...further } = options.additional_parameters ?? {};
    const nodes = [...(exclude === undefined ? [] : [String(exclude)]), ...barred];
    return { ...options, additional_parameters: { ...further, exclude: nodes.join(",") } };
  }

  #fail(id: string, node: string, message: string | undefined): void {
    this.#failed.push({ id, node, message });
    if (node !== "") this.#failedOn.set(node, (this.#failedOn.get(node) ?? 0) + 1);
  }
}

const maxFailed = 4;
const maxFailedOnNode = 2;

/** What a log ends with; empty if there is no log. */
function endOf(file: string): string {
  try {
    const fd = openSync(file, "r");
    try {
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, 4000));
      readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      return lastLines(bytes.toString("utf8"));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
