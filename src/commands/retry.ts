import { counted } from "../base/format.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { findSweep } from "../store/find-sweep.ts";
import { failedTrials } from "../sweep/failed-trials.ts";
import { storedPlan } from "../sweep/stored-plan.ts";
import { type Arguments, type Context, retryClasses, runContext } from "./command.ts";
import { checkCanOpen } from "./open-report.ts";
import { runPlan } from "./sweep.ts";

/** `cliprpn retry SWEEP [TRIAL..]`: runs failed trials of a stored sweep again, without its file, then writes the report. */
export async function retry(args: Arguments, context: Context): Promise<number> {
  if (args.flag("open")) checkCanOpen(context.env);
  const run = runContext(args, context);
  const store = findSweep(args.needed("sweep"), run.runsDir, run.cwd);
  const read = storedPlan(store, run);
  const trials = args.list("trials");
  if (args.flag("failed") && trials.length > 0)
    throw new CliprpnError(
      "bad_input",
      "expected --failed, for all failed trials, or the trials to run again; found both",
    );
  const classes = retryClasses(args.list("class"), "--class");
  const failed = failedTrials(store, read.plan.trials, { trials, classes });
  if (failed.length === 0) {
    const all = failedTrials(store, read.plan.trials, { trials: [], classes: undefined }).length;
    const others = all === 0 ? "" : `; ${counted(all, "trial")} failed with another error`;
    context.terminal.info(`Sweep ${store.name}: no failed trial to run again${others}. Nothing was started.`);
    return EXIT.good;
  }
  const retryOnly = new Set(failed.map(({ trial_id }) => trial_id));
  return runPlan(read, args, { ...run, runsDir: store.runsDir, retryFailed: true, retryOnly });
}
