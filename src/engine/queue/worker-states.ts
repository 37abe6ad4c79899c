import type { BarredPilot, WorkerNow } from "../../contract/generated/types.ts";
import type { LeftAttempt, WorkerState } from "../launcher.ts";
import { describePilot, nodeOf, type Pilot } from "./pilot-watch.ts";
import { attemptOf } from "./queue-folder.ts";

/** A worker that joined, ended, refused to work or was barred. */
export interface WorkerChange {
  /** For people. */
  worker: string;
  node: string;
  state: WorkerState;
  reason?: string;
}

/** What a worker runs: an attempt at a trial, or what makes what trials share. */
export type Running = LeftAttempt | "preparation";

/** @param entry of what a pilot has claimed. */
export function runningOf(entry: string): Running {
  return attemptOf(entry) ?? "preparation";
}

/** A pilot that takes attempts, or will, or says why it does not. */
export function workerNow(pilot: Pilot, running: Running | undefined, silentMs: number): WorkerNow {
  const { name, facts, slot } = pilot;
  const { state } = facts;
  return {
    name,
    worker: describePilot(pilot),
    node: nodeOf(pilot),
    state: state === "ready" ? (running === undefined ? "idle" : "running") : state,
    slot,
    ...(running === undefined || running === "preparation"
      ? {}
      : { trial_id: running.trial_id, attempt: running.number }),
    silent_ms: silentMs,
    ...(facts.error === null ? {} : { reason: facts.error.message }),
  };
}

export function barredNow({ name, worker, node, reason }: BarredPilot): WorkerNow {
  return { name, worker, node, state: "barred", reason };
}

/** Tells what changed between two looks at the workers. */
export class WorkerChanges {
  #before = new Map<string, WorkerNow>();

  next(workers: readonly WorkerNow[]): WorkerChange[] {
    const before = this.#before;
    this.#before = new Map(workers.map((each) => [each.name, each]));
    const changed = workers.flatMap((each) => {
      const told = toldState(each);
      const was = before.get(each.name);
      if (told === undefined || (was !== undefined && toldState(was) === told)) return [];
      return [changeOf(each, told)];
    });
    const ended = [...before.values()].filter(
      (each) => !this.#before.has(each.name) && toldState(each) === "ready",
    );
    return [...changed, ...ended.map((each) => changeOf(each, "ended"))];
  }
}

/** One that starts is not told. */
function toldState({ state }: WorkerNow): "ready" | "refused" | "barred" | undefined {
  if (state === "idle" || state === "running") return "ready";
  return state === "starting" ? undefined : state;
}

function changeOf({ worker, node, reason }: WorkerNow, state: WorkerChange["state"]): WorkerChange {
  return { worker, node, state, ...(reason === undefined || state === "ended" ? {} : { reason }) };
}
