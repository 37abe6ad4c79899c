import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { lastLines } from "../../base/output-tail.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** A start that ended before its worker was ready. */
export interface FailedStart {
  /** Of the job or actor; its log is called so. */
  id: string;
  /** Empty if it is not known. */
  node: string;
  /** What the worker said; undefined if only its log says something. */
  message: string | undefined;
}

/** How the error about failed starts is worded. */
export interface StartWords {
  /** What a cluster starts: "jobs". */
  what: string;
  /** What nodes need. */
  advice: string;
}

/** Counts workers that end before they are ready, which must not be replaced for ever. */
export class FailedStarts {
  /** Since a worker was last ready. */
  readonly #failed: FailedStart[] = [];
  /** Of each node, since a worker was ready there. */
  readonly #failedOn = new Map<string, number>();

  /** @param nodeId identifies the node; by default, its name does. */
  add(failed: FailedStart, nodeId = failed.node): void {
    this.#failed.push(failed);
    if (nodeId !== "") this.#failedOn.set(nodeId, (this.#failedOn.get(nodeId) ?? 0) + 1);
  }

  /** A worker is ready on a node. */
  ready(nodeId: string): void {
    this.#failed.length = 0;
    this.#failedOn.delete(nodeId);
  }

  /** Time to wait before the next start, which grows while they fail. */
  waitMs(): number {
    return this.#failed.length === 0 ? 0 : Math.min(60_000, 1000 * 2 ** this.#failed.length);
  }

  /** Ids of the nodes where workers fail again and again. */
  barredNodes(): string[] {
    return [...this.#failedOn].filter(([, number]) => number >= maxFailedOnNode).map(([node]) => node);
  }

  /** The error if workers fail again and again. @param logFolder has ID.log of each. */
  fault(logFolder: string, { what, advice }: StartWords): CliprpnError | undefined {
    const last = this.#failed.at(-1);
    if (last === undefined || this.#failed.length < maxFailed) return undefined;
    const logFile = join(logFolder, `${last.id}.log`);
    const said = last.message ?? endOf(logFile);
    return new CliprpnError(
      "environment_broken",
      `${this.#failed.length} ${what} ended before their worker was ready. The last one, ${last.id}${last.node === "" ? "" : ` on ${last.node}`}: ${said === "" ? "it printed nothing" : said}\nIts log, if there is one: ${logFile}. ${advice}`,
    );
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
