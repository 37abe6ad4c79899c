import { statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { counted, formatDuration } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparationSpec, TrialSpec, WorkerNow } from "../../contract/generated/types.ts";
import type { Launcher } from "../../engine/launcher.ts";
import { attemptOf, QueueFolder } from "../../engine/queue/queue-folder.ts";
import { barredNow, runningOf, workerNow } from "../../engine/queue/worker-states.ts";
import { jobLimits } from "../../engine/slurm/batch-script.ts";
import type { Plan } from "../../experiment/plan.ts";
import { acceptLeftovers } from "../../store/accept-leftovers.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { TrialStore } from "../../store/trial-store.ts";
import type { Place } from "../machines/place.ts";
import { trainingDevice } from "../machines/training-device.ts";
import { preparationAttempt, preparationSpec } from "../prepare/prepare-features.ts";
import type { RunContext } from "../run-context.ts";
import { isAllMade } from "./already-made.ts";
import { TrialClaims, type TrialClaimsOptions } from "./trial-claims.ts";

/**
 * Leaves trials with workers that need no other process, for `--detach`. What they achieve counts when the sweep runs again, which
 * also runs the trials of lost workers again.
 *
 * @throws CliprpnError bad_input if trials of an earlier run are left; whatever starting the workers throws.
 */
export async function detachTrials(
  store: SweepStore,
  plan: Plan,
  { waiting, place }: { waiting: readonly TrialSpec[]; place: Place },
  options: Pick<TrialClaimsOptions, "checkpoint_minutes">,
  run: RunContext,
): Promise<void> {
  checkNoneLeft(store);
  const { runsDir, name } = store;
  const { keep_models } = plan;
  const claims = new TrialClaims(waiting, { runsDir, keep_models, command: run.commandLine, ...options });
  const launcher = place.launch({ slots: place.slots, tell: () => undefined });
  if (launcher.leave === undefined)
    throw new CliprpnError("internal", "expected a launcher that can be left");
  const journal = store.journal.open();
  try {
    journal.append({ type: "sweep_started", num_trials: plan.trials.length, command: run.commandLine });
    const spec = isAllMade(waiting, trainingDevice(run)) ? undefined : preparationSpec(waiting);
    let numLeft = 0;
    for (const trial of waiting) {
      const claimed = await claims.tryClaim(trial);
      if (claimed === undefined || "found" in claimed) continue; // Another process runs it, or has.
      if (numLeft === 0 && spec !== undefined) await leavePreparation(spec, store, launcher, place.slots);
      launcher.submit(claimed.attempt);
      numLeft += 1;
    }
    await launcher.leave();
    const numJobs = counted(Math.min(numLeft, place.slots.length), "job");
    const limit = formatDuration(60_000 * jobLimits(run.slurm ?? {}).timeoutMin);
    run.terminal.info(
      `Left ${counted(numLeft, "trial")} with SLURM, for ${numJobs} of at most ${limit} each; no others are sent when these end. To follow them, to send more, and for the report: \`${withoutDetach(run.commandLine)}\`; \`cliprpn stop ${name}\` ends them.`,
    );
  } catch (error) {
    try {
      launcher.takeBack?.();
    } catch {
      // What went wrong before says more.
    }
    throw error;
  } finally {
    await claims.close();
    journal.close();
  }
}

/** Before any trial: pilots take none before it has ended. @throws an error of the disk. */
async function leavePreparation(
  spec: PreparationSpec,
  store: SweepStore,
  launcher: Launcher,
  slots: readonly string[],
): Promise<void> {
  const preparing = launcher.prepare?.(preparationAttempt(spec, { store, launcher, slots }), unwatched);
  await Promise.race([preparing, nextTurn()]); // It ends at once only if it fails.
}

/** Nobody hears of it before the sweep runs again. */
const unwatched = {
  signal: new AbortController().signal,
  onStarted: () => undefined,
  onEvent: () => undefined,
};

/** What workers have of a sweep that no process runs. */
export interface LeftTrials {
  num_waiting: number;
  num_running: number;
  num_ended: number;
  /** As the folder has them; the time of a heartbeat is that of its server, and this machine's clock may differ. */
  workers: WorkerNow[];
}

/** @returns undefined if workers have nothing of it. */
export function leftTrials({ queueFolder }: Pick<SweepStore, "queueFolder">): LeftTrials | undefined {
  const queue = new QueueFolder(queueFolder);
  if (!queue.isOpen) return undefined;
  const ended = queue.ended();
  const isTrial = (entry: string): boolean => attemptOf(entry) !== undefined;
  const claims = queue.claims();
  const left = {
    num_waiting: queue.waiting().filter(isTrial).length,
    num_running: [...claims.keys()].filter((entry) => isTrial(entry) && !ended.has(entry)).length,
    num_ended: [...ended].filter(isTrial).length,
  };
  if (Object.values(left).every((number) => number === 0)) return undefined;
  return { ...left, workers: workersLeft(queue, claims, ended) };
}

/** @param claims entries and their pilots. */
function workersLeft(
  queue: QueueFolder,
  claims: ReadonlyMap<string, string>,
  ended: ReadonlySet<string>,
): WorkerNow[] {
  const running = new Map(
    [...claims].flatMap(([entry, pilot]) => (ended.has(entry) ? [] : [[pilot, runningOf(entry)] as const])),
  );
  const barred = queue.barred();
  const isBarred = new Set(barred.map(({ name }) => name));
  const live = queue.pilotNames().flatMap((name, slot) => {
    const facts = queue.pilot(name);
    const beat = statSync(queue.pilotFile(name), { throwIfNoEntry: false })?.mtimeMs;
    if (facts === undefined || beat === undefined || isBarred.has(name)) return [];
    const pilot = { name, facts, slot, lost: undefined };
    return [workerNow(pilot, running.get(name), Math.max(0, Date.now() - beat))];
  });
  return [...live, ...barred.map(barredNow)];
}

/** The command that continues a sweep which was left; undefined if none is known. */
export function continuingCommand(store: Pick<SweepStore, "journal">): string | undefined {
  const started = store.journal.entries().findLast(({ type }) => type === "sweep_started");
  return started?.type === "sweep_started" ? withoutDetach(started.command) : undefined;
}

function withoutDetach(command: string): string {
  return command.replace(/ --detach(=\S+)?(?= |$)/, "");
}

/** Makes results count that workers wrote while no process ran the sweep. */
export function acceptDetached(store: SweepStore): void {
  if (!new QueueFolder(store.queueFolder).isOpen) return;
  for (const { trial } of store.rows() ?? []) acceptLeftovers(new TrialStore(store.runsDir, trial.trial_id));
}

/** Lets workers end that were left with trials which have all completed. */
export function closeDetached(store: SweepStore): void {
  const queue = new QueueFolder(store.queueFolder);
  if (queue.isOpen) queue.stop();
}

/** @throws CliprpnError bad_input. */
function checkNoneLeft(store: SweepStore): void {
  const left = leftTrials(store);
  if (left === undefined) return;
  const { num_waiting, num_running, num_ended } = left;
  throw new CliprpnError(
    "bad_input",
    `--detach: expected no trials of an earlier run of ${store.name}, found ${num_waiting + num_running + num_ended} that workers have or had; run the same command without --detach to follow them`,
  );
}
