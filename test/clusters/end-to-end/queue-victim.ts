import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PilotFacts } from "../../../src/contract/generated/types.ts";
import { attemptOf, QueueFolder } from "../../../src/engine/queue/queue-folder.ts";
import { TrialStore } from "../../../src/store/trial-store.ts";
import { childrenOf, isAlive, send } from "../../helpers/marked.ts";
import type { RunningSweep } from "./running-sweep.ts";

/** An attempt that a pilot of a queue runs. */
export interface Victim {
  trial_id: string;
  attempt: number;
  pilot: PilotFacts;
}

/** Waits for an attempt that has written a checkpoint, so that its trial continues there. */
export function findVictim(sweep: RunningSweep): Promise<Victim> {
  const { store } = sweep;
  const queue = new QueueFolder(store.queueFolder);
  return sweep.until("a trial had a checkpoint", () => {
    const ended = queue.ended();
    for (const [entry, name] of queue.claims()) {
      const left = attemptOf(entry);
      const pilot = queue.pilot(name);
      if (left === undefined || pilot === undefined || ended.has(entry)) continue;
      const { trial_id, number } = left;
      if (!existsSync(new TrialStore(store.runsDir, trial_id).checkpointFile(number))) continue;
      return { trial_id, attempt: number, pilot };
    }
    return undefined;
  });
}

/** SIGKILL of a pilot, while its trial runs. */
export async function killPilot(sweep: RunningSweep): Promise<void> {
  const { trial_id, attempt, pilot } = await findVictim(sweep);
  send(pilot.process.pid, "SIGKILL");
  await sweep.untilEnded(trial_id, attempt, "retried");
}

/** Suspends a pilot and its Python for longer than its lease, and wakes them as soon as they count as lost. */
export async function freezePilot(sweep: RunningSweep): Promise<void> {
  const { trial_id, attempt, pilot } = await findVictim(sweep);
  const { pid } = pilot.process;
  const pids = [pid, ...childrenOf(pid).map((child) => child.pid)];
  for (const each of pids) send(each, "SIGSTOP");
  const barred = join(sweep.store.queueFolder, "barred", pilot.name);
  await sweep.until("a frozen worker was lost", () => existsSync(barred) || undefined);
  for (const each of pids) send(each, "SIGCONT");
  await sweep.untilEnded(trial_id, attempt, "retried");
  await sweep.until("the frozen worker had ended", () => !isAlive(pid) || undefined);
}
