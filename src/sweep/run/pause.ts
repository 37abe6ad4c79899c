import { counted } from "../../base/format.ts";
import { machineError } from "../../base/machine-error.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import type { Journal } from "../../store/journal.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { TrialStore } from "../../store/trial-store.ts";
import { trialStatuses } from "../resume.ts";
import type { RunContext } from "../run-context.ts";

/**
 * Records that a fault of the machine has paused a sweep, and says what is kept and how to continue.
 *
 * @returns the fault, with which the command ends. What could not be recorded or read, as on the disk that failed, is added to it.
 */
export function pauseSweep(
  store: SweepStore,
  trials: readonly TrialSpec[],
  { journal, fault, run }: { journal: Pick<Journal, "append">; fault: unknown; run: RunContext },
): unknown {
  const { code, message } = asKnown(fault);
  const problems: string[] = [];
  const trying = <Result>(what: string, work: () => Result): Result | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(`${what} (${messageOf(error)})`);
      return undefined;
    }
  };
  trying("the pause could not be written into the journal", () =>
    journal.append({ type: "sweep_paused", error: { code, message } }),
  );
  const kept = trying("the state of the trials could not be read", () => describeKept(store, trials));
  run.terminal.info(
    `Sweep ${store.name} is paused: more trials would fail for the same reason. ${kept === undefined ? "" : `${kept}. `}Fix the problem below, then re-run the same command: npx ${run.commandLine}`,
  );
  if (problems.length === 0) return fault;
  return new CliprpnError(code, `${message}. After that, ${problems.join(", and ")}`, { cause: fault });
}

/** "1 of 3 trials is complete and kept; 2 trials will continue from their last checkpoint". */
function describeKept(store: SweepStore, trials: readonly TrialSpec[]): string {
  const statuses = trialStatuses(store, trials);
  const isIn = (state: string) => (spec: TrialSpec) => statuses.get(spec.trial_id)?.state === state;
  const numCompleted = trials.filter(isIn("completed")).length;
  const numResumed = trials.filter(
    (spec) => isIn("waiting")(spec) && new TrialStore(store.runsDir, spec.trial_id).resumable().length > 0,
  ).length;
  const resumed =
    numResumed === 0
      ? ""
      : `; ${counted(numResumed, "trial")} will continue from ${numResumed === 1 ? "its" : "their"} last checkpoint`;
  return `${numCompleted} of ${counted(trials.length, "trial")} ${numCompleted === 1 ? "is" : "are"} complete and kept${resumed}`;
}

function asKnown(fault: unknown): CliprpnError {
  if (fault instanceof CliprpnError) return fault;
  return machineError(fault) ?? new CliprpnError("environment_broken", messageOf(fault), { cause: fault });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
