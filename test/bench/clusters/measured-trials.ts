/** Runs the trials of this benchmark as tools do, and says what each took. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endsIn, startsIn } from "../runners/ends.ts";

/** Of each trial: nothing, importing torch, waiting until its worker is killed. */
export type TrialKind = "none" | "torch" | "killed";

/** A tool that runs trials on a cluster. */
export interface Tool {
  name: string;
  /** Runs the trials, which note in `folder` when they end, and waits for them. */
  run(numTrials: number, kind: TrialKind, folder: string): Promise<void>;
}

export interface Timing {
  numTrials: number;
  /** Of the second half, when all workers run. */
  trial_ms: number;
  command_s: number;
}

export async function time(tool: Tool, numTrials: number, kind: TrialKind, parent: string): Promise<Timing> {
  return inFolder(parent, async (folder) => {
    const started = monotonicSeconds();
    await tool.run(numTrials, kind, folder);
    const command_s = monotonicSeconds() - started;
    const ends = endsIn(folder);
    if (ends.length !== numTrials)
      throw new Error(`${tool.name}: expected ${numTrials} trials, found ${ends.length}`);
    const half = numTrials / 2;
    return { numTrials, command_s, trial_ms: (1000 * ((ends.at(-1) ?? 0) - (ends[half - 1] ?? 0))) / half };
  });
}

/**
 * Kills the worker of a trial. @returns the time until the trial has started again, in seconds.
 *
 * @param numOthers trials that do nothing, whose workers are warm and idle by then.
 */
export async function timeAfterKill(
  tool: Tool,
  numOthers: number,
  kill: (folder: string) => void,
  parent: string,
): Promise<number> {
  return inFolder(parent, async (folder) => {
    const done = tool.run(1 + numOthers, "killed", folder);
    // It rejects only if the tool fails, which the loop would wait for.
    const failed = done.then(() => undefined);
    const isReady = (): boolean => startsIn(folder).length > 0 && endsIn(folder).length === numOthers;
    while (!isReady()) await Promise.race([sleep(20), failed]);
    await sleep(500);
    const killed = monotonicSeconds();
    kill(folder);
    await done;
    const [, again] = startsIn(folder);
    if (again === undefined) throw new Error(`${tool.name}: the trial did not run again`);
    return again - killed;
  });
}

async function inFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(parent, "trials");
  mkdirSync(folder);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 3 });
  }
}

/** The clock of Python's `time.monotonic`. */
export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
