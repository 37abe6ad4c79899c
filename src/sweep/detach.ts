import { counted } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { QueueFolder } from "../engine/queue/queue-folder.ts";
import type { Plan } from "../experiment/plan.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { TrialStore } from "../store/trial-store.ts";
import type { Place } from "./place.ts";
import type { RunContext } from "./run-context.ts";
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
  const journal = store.openJournal();
  try {
    journal.append({ type: "sweep_started", num_trials: plan.trials.length, command: run.commandLine });
    let numLeft = 0;
    for (const spec of waiting) {
      const claimed = await claims.tryClaim(spec);
      if (claimed === undefined || "found" in claimed) continue; // Another process runs it, or has.
      launcher.submit(claimed.attempt);
      numLeft += 1;
    }
    await launcher.leave();
    run.terminal.info(
      `Left ${counted(numLeft, "trial")} with SLURM. Run the same command without --detach to follow them, and for the report; \`cliprpn stop ${name}\` ends them.`,
    );
  } catch (error) {
    await launcher.close();
    throw error;
  } finally {
    await claims.close();
    journal.close();
  }
}

/** Makes results count that workers wrote while no process ran the sweep. */
export function acceptDetached(store: SweepStore): void {
  if (!new QueueFolder(store.queueFolder).isOpen) return;
  for (const { trial } of store.rows() ?? []) new TrialStore(store.runsDir, trial.trial_id).acceptLeftovers();
}

/** @throws CliprpnError bad_input. */
function checkNoneLeft({ queueFolder, name }: SweepStore): void {
  const queue = new QueueFolder(queueFolder);
  const numLeft = queue.waiting().length + queue.claims().size;
  if (numLeft > 0)
    throw new CliprpnError(
      "bad_input",
      `--detach: expected no trials of an earlier run of ${name}, found ${numLeft} that wait or run; run the same command without --detach to follow them`,
    );
}
