import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { joinWords } from "../base/format.ts";
import { readOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { SweepStatus } from "../contract/generated/types.ts";
import { trialName } from "../report/names.ts";
import { StopRequests } from "../store/stop-requests.ts";
import type { SweepStore } from "../store/sweep-store.ts";
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
  { terminal, commandLine, signal }: Pick<RunContext, "terminal" | "commandLine" | "signal">,
): Promise<void> {
  const isRunning = (): boolean => readOwner(sweep.lockFolder) !== undefined;
  if (!isRunning())
    throw new CliprpnError("bad_input", `${sweep.name}: expected a sweep that runs; no process runs it now`);
  const chosen = trial === undefined ? undefined : findRunning(sweep, trial);
  const file = new StopRequests(sweep.folder).add(chosen?.trial_id ?? null, commandLine);
  const name = chosen === undefined ? sweep.name : trialName(chosen);
  terminal.info(`${name}: stopping`);
  const isStopped = (): boolean =>
    chosen === undefined ? !isRunning() : !existsSync(file) && !isRunningStill(sweep, chosen);
  while (isRunning() && !isStopped()) await sleep(pollMs, undefined, { signal });
  terminal.info(
    chosen === undefined ? `${name}: stopped` : `${name}: canceled; the other trials of the sweep still run`,
  );
}

const pollMs = 100;

/** @throws CliprpnError bad_input. */
function findRunning(sweep: SweepStore, trial: string): RunningTrial {
  const running = sweep.status()?.running ?? [];
  const found = running.filter(
    (each) => each.trial_id.startsWith(trial) || each.label === trial || trialName(each) === trial,
  );
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const names = joinWords(found.concat(found.length > 0 ? [] : running).map(describe));
  throw new CliprpnError(
    "bad_input",
    first === undefined
      ? `${trial}: expected a trial that runs now: ${names || "there is none"}`
      : `${trial}: expected one trial, found ${found.length}: ${names}; write its id`,
  );
}

function isRunningStill(sweep: SweepStore, { trial_id, attempt }: RunningTrial): boolean {
  const running = sweep.status()?.running ?? [];
  return running.some((each) => each.trial_id === trial_id && each.attempt === attempt);
}

function describe(trial: RunningTrial): string {
  return `${trialName(trial)} (${trial.trial_id.slice(0, 8)})`;
}
