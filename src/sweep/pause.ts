import { counted } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { ErrorInfo, TrialSpec } from "../contract/generated/types.ts";
import type { Journal } from "../store/journal.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { TrialStore } from "../store/trial-store.ts";
import { trialStatuses } from "./resume.ts";
import type { RunContext } from "./run-context.ts";

/** Says that a fault of the machine has paused a sweep, what is kept and how to continue; the command ends with the fault itself. */
export function pauseSweep(
  store: SweepStore,
  trials: readonly TrialSpec[],
  { journal, fault, run }: { journal: Journal; fault: unknown; run: RunContext },
): void {
  const error: ErrorInfo = {
    code: fault instanceof CliprpnError ? fault.code : "environment_broken",
    message: fault instanceof Error ? fault.message : String(fault),
  };
  try {
    journal.append({ type: "sweep_paused", error });
  } catch {
    // The disk that is full may be that of the journal.
  }
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
  run.terminal.info(
    `Sweep ${store.name} is paused: more trials would fail for the same reason. ${numCompleted} of ${counted(trials.length, "trial")} ${numCompleted === 1 ? "is" : "are"} complete and kept${resumed}. Fix the problem below, then re-run the same command: npx ${run.commandLine}`,
  );
}
