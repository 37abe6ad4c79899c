import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lastLines } from "../../../src/base/output-tail.ts";
import { packageRoot } from "../../../src/package-root.ts";

export interface StartNode {
  /** The interpreter that has Ray. */
  python: string;
  /** As Ray shows it. */
  name: string;
  /** Arguments of `ray start`, in addition to the name. */
  args: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** A folder in place of which the node sees an empty one. Needs root. */
  hidden?: string | undefined;
  /** Where the node sees that folder instead: another folder, which exists. */
  shownAs?: string | undefined;
}

/** The processes of a node: those of `ray start --block`, and all that they started. */
export class RayNode {
  readonly name: string;
  readonly logFile: string;
  readonly #keeper: ChildProcess;

  private constructor({ python, name, args, env, logFile, hidden, shownAs = hidden }: StartNode) {
    this.name = name;
    this.logFile = logFile;
    const ray = [python, "-m", "ray.scripts.scripts", "start", "--block", `--node-name=${name}`, ...args];
    const command =
      hidden === undefined ? ray : ["unshare", "--mount", "sh", "-c", inPlace, hidden, shownAs ?? "", ...ray];
    const log = openSync(logFile, "a");
    // The end of this process closes the keeper's input, which ends the node.
    this.#keeper = spawn(python, [keeper, ...command], { env, stdio: ["pipe", log, log] });
    closeSync(log);
  }

  /** Starts a node and waits until Ray runs on it. @throws with its output if it ends before. */
  static async start(options: StartNode, numTries = 5): Promise<RayNode> {
    const node = new RayNode(options);
    while (!node.output().includes("Ray runtime started.")) {
      if (node.hasEnded) {
        const output = node.output();
        // `ray start` gives up after 30 s, which a busy machine may need.
        if (numTries > 1 && output.includes("timed out during startup")) {
          rmSync(options.logFile);
          return RayNode.start(options, numTries - 1);
        }
        throw new Error(`node ${node.name} of Ray did not start:\n${lastLines(output)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return node;
  }

  get hasEnded(): boolean {
    return this.#keeper.exitCode !== null || this.#keeper.signalCode !== null;
  }

  /** What `ray start` printed. */
  output(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** Ids of its processes. */
  pids(): number[] {
    return this.hasEnded || this.#keeper.pid === undefined ? [] : below(this.#keeper.pid);
  }

  /** Stops all its processes where they are, as a suspended machine does. */
  freeze(): void {
    signalAll(() => this.pids(), "SIGSTOP");
  }

  thaw(): void {
    for (const pid of this.pids()) signal(pid, "SIGCONT");
  }

  /** Kills all its processes at once, as a lost machine does. */
  async kill(): Promise<void> {
    const ended = this.#ended();
    signalAll(() => this.pids(), "SIGKILL");
    await ended;
  }

  /** Ends it as an administrator does: `ray start` tells Ray, and ends its processes. */
  async remove(): Promise<void> {
    const ended = this.#ended();
    const [main] = this.pids();
    if (main !== undefined) signal(main, "SIGTERM");
    await ended;
  }

  /** Ends it in any state, frozen or not. */
  async close(): Promise<void> {
    const ended = this.#ended();
    this.#keeper.stdin?.end();
    await ended;
  }

  async #ended(): Promise<void> {
    if (!this.hasEnded) await once(this.#keeper, "exit");
  }
}

/** `sh -c inPlace HIDDEN SHOWN_AS COMMAND ...`; of two mounts on one folder, the later one is seen. */
const inPlace = 'mount --bind "$0" "$1" && mount -t tmpfs none "$0" && shift && exec "$@"';

const keeper = join(packageRoot, "test/clusters/ray/keeper.py");

/** Sends a signal to processes and to those that they started meanwhile. */
function signalAll(list: () => number[], name: "SIGSTOP" | "SIGKILL"): void {
  const done = new Set<number>();
  for (let next = list(); next.some((pid) => !done.has(pid)); next = list()) {
    for (const pid of next) {
      signal(pid, name);
      done.add(pid);
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** The processes below a process, parents first. */
function below(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (let level = [root]; level.length > 0; ) {
    level = level.flatMap((pid) => children.get(pid) ?? []);
    found.push(...level);
  }
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may contain anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // It has ended.
  }
}
