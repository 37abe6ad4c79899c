import { EXIT } from "../contract/errors.ts";
import { diffText } from "../runs/diff-text.ts";
import { diffTrials } from "../runs/diff-trials.ts";
import { findTrialOrAttempt } from "../store/find-model.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn diff A B`: prints what differs between two trials, or between two attempts of one. */
export async function diff(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const result = diffTrials(
    findTrialOrAttempt(args.needed("a"), run),
    findTrialOrAttempt(args.needed("b"), run),
  );
  context.terminal.result(args.flag("json") ? JSON.stringify(result, null, 2) : diffText(result));
  return EXIT.good;
}
