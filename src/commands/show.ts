import { EXIT } from "../contract/errors.ts";
import { showText } from "../runs/show-text.ts";
import { showTrial } from "../runs/show-trial.ts";
import { findTrialOrAttempt } from "../store/find-model.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn show TRIAL`: prints what is known about a trial and its attempts. */
export async function show(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const { trial } = findTrialOrAttempt(args.needed("trial"), run);
  const shown = showTrial(trial);
  context.terminal.result(args.flag("json") ? JSON.stringify(shown, null, 2) : showText(shown));
  return EXIT.good;
}
