import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { joinWords } from "../base/format.ts";
import { readOwner } from "../base/owner-lock.ts";
import { codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { SweepStatus } from "../contract/generated/types.ts";
import { trialName } from "../report/names.ts";
import { StopRequests } from "../store/stop-requests.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import type { ListedTrial } from "../store/trial-rows.ts";
import { stopWorkers } from "../sweep/machines/stop-workers.ts";
import { trialStatuses } from "../sweep/resume.ts";
import type { RunContext } from "../sweep/run-context.ts";

type RunningTrial = SweepStatus["running"][number];

/**
 * Asks the process that runs a sweep to stop, or to end one trial, and waits until it has. The process may be on another machine.
 *
 * @param trial label, or the start of an id, of a trial that runs; undefined for the whole sweep.
 * @throws CliprpnError bad_input if the sweep, or the trial, does not run; the signal's reason.
 */
export async function stopSweep(
  sweep: SweepStore,
  trial: string | undefined,
  {
    terminal,
    commandLine,
    signal,
    env = {},
  }: Pick<RunContext, "terminal" | "commandLine" | "signal"> & { env?: NodeJS.ProcessEnv },
): Promise<void> {
  const isRunning = (): boolean => readOwner(sweep.lockFolder) !== undefined;
  const ended = !isRunning() && trial === undefined ? await stopWorkers(sweep, env) : undefined;
  if (ended !== undefined) {
    terminal.info(`${sweep.name}: ${ended}`);
    return;
  }
  if (!isRunning())
    throw new CliprpnError("bad_input", `${sweep.name}: expected a sweep that runs; no process runs it now`);
  const chosen = trial === undefined ? undefined : findRunning(sweep, trial);
  const file = new StopRequests(sweep.folder).add(chosen?.trial_id ?? null, commandLine);
  const name = chosen === undefined ? sweep.name : trialName(chosen);
  terminal.info(`${name}: stopping`);
  const isStopped = (): boolean =>
    chosen === undefined ? !isRunning() : !existsSync(file) && !isRunningStill(sweep, chosen);
  try {
    while (isRunning() && !isStopped()) await sleep(pollMs, undefined, { signal });
  } catch (error) {
    terminal.info(`${name}: no longer waiting for it to stop; it was asked to`);
    throw error;
  }
  terminal.info(chosen === undefined ? `${name}: stopped` : `${name}: ${howEnded(sweep, chosen)}`);
}

/** A trial may end by itself before it is canceled. */
function howEnded(sweep: SweepStore, { trial_id, attempt }: RunningTrial): string {
  const state = sweep.journal
    .ends()
    .findLast((end) => end.trial_id === trial_id && end.attempt === attempt)?.state;
  if (state === "canceled") return "canceled; the other trials of the sweep still run";
  return `${state ?? "ended"}, before it could be canceled`;
}

const pollMs = 100;

/** @throws CliprpnError bad_input. */
function findRunning(sweep: SweepStore, trial: string): RunningTrial {
  const running = sweep.status()?.running ?? [];
  const found = running.filter((each) => isNamed(each, trial));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${trial}: expected one trial, found ${found.length}: ${joinWords(found.map(describe))}; write its id`,
    );
  const names = joinWords(running.map(describe)) || "there is none";
  const [listed] = (sweep.listed() ?? []).filter((each) => isNamed(each, trial));
  const state = listed === undefined ? "" : `, found ${describe(listed)}, which ${stateOf(sweep, listed)}`;
  throw new CliprpnError(
    "bad_input",
    `${trial}: expected a trial that runs now${state}. Those are: ${names}`,
  );
}

function isNamed(trial: Pick<RunningTrial, "trial_id" | "label" | "kind" | "seed">, name: string): boolean {
  return (
    (name !== "" && trial.trial_id.startsWith(name)) || trial.label === name || trialName(trial) === name
  );
}

/** What a trial that does not run does. */
function stateOf(sweep: SweepStore, { trial_id, kind }: ListedTrial): string {
  const status = trialStatuses(sweep, [{ trial_id, sources_sha256: codeHashes()[kind] }]).get(trial_id);
  switch (status?.state) {
    case "completed":
      return "has completed";
    case "failed":
      return `has ended (${status.error.code})`;
    default:
      return "has not started; a trial can be stopped when it runs";
  }
}

function isRunningStill(sweep: SweepStore, { trial_id, attempt }: RunningTrial): boolean {
  const running = sweep.status()?.running ?? [];
  return running.some((each) => each.trial_id === trial_id && each.attempt === attempt);
}

function describe(trial: RunningTrial | ListedTrial): string {
  return `${trialName(trial)} (${trial.trial_id.slice(0, 8)})`;
}
