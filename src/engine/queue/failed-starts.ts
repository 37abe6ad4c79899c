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
  /** Since a worker was last ready, while none was. */
  readonly #failed: FailedStart[] = [];
  /** Of each node, since a worker was ready there. */
  readonly #failedOn = new Map<string, FailedStart[]>();
  /** Since a worker became ready. */
  #number = 0;

  /**
   * @param nodeId identifies the node; by default, its name does.
   * @param hasReady whether another worker is ready: then the node is at fault, and not what all workers share.
   */
  add(failed: FailedStart, nodeId = failed.node, hasReady = false): void {
    this.#number += 1;
    if (!hasReady) this.#failed.push(failed);
    if (nodeId !== "") this.#failedOn.set(nodeId, [...(this.#failedOn.get(nodeId) ?? []), failed]);
  }

  /** What a worker said is known after its end. */
  explain(id: string, message: string): void {
    for (const failed of [this.#failed, ...this.#failedOn.values()].flat())
      if (failed.id === id) failed.message = message;
  }

  /** A worker is ready on a node. */
  ready(nodeId: string): void {
    this.#failed.length = 0;
    this.#number = 0;
    this.#failedOn.delete(nodeId);
  }

  /** Time to wait before the next start, which grows while they fail. */
  waitMs(): number {
    return this.#number === 0 ? 0 : Math.min(60_000, 1000 * 2 ** this.#number);
  }

  /** Ids of the nodes where workers fail again and again. */
  barredNodes(): string[] {
    return [...this.#failedOn].filter(([, { length }]) => length >= maxFailedOnNode).map(([node]) => node);
  }

  /** The error if workers fail again and again. @param logFolder has ID.log of each. */
  fault(logFolder: string, words: StartWords): CliprpnError | undefined {
    return this.#failed.length < maxFailed ? undefined : faultOf(this.#failed, logFolder, words);
  }

  /** The error if there is no other node than those where workers fail; undefined if there is none of these. */
  faultOfNodes(logFolder: string, words: StartWords): CliprpnError | undefined {
    return faultOf(
      this.barredNodes().flatMap((node) => this.#failedOn.get(node) ?? []),
      logFolder,
      words,
    );
  }
}

function faultOf(
  failed: readonly FailedStart[],
  logFolder: string,
  { what, advice }: StartWords,
): CliprpnError | undefined {
  const last = failed.at(-1);
  if (last === undefined) return undefined;
  const logFile = join(logFolder, `${last.id}.log`);
  const said = last.message ?? endOf(logFile);
  return new CliprpnError(
    "environment_broken",
    `${failed.length} ${what} ended before their worker was ready. The last one, ${last.id}${last.node === "" ? "" : ` on ${last.node}`}: ${said === "" ? "it printed nothing" : said}\nIts log, if there is one: ${logFile}. ${advice}`,
  );
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
