import { EXIT } from "../contract/errors.ts";
import { followLog } from "../runs/follow-log.ts";
import { findTrialOrAttempt } from "../store/find-model.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn logs TRIAL`: prints the log of a trial's newest attempt, or of the one that is named. */
export async function logs(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const request = { ...findTrialOrAttempt(args.needed("trial"), run), follow: args.flag("follow") };
  let rest = "";
  await followLog(
    request,
    (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) run.terminal.result(line);
    },
    run.signal,
  );
  if (rest !== "") run.terminal.result(rest);
  return EXIT.good;
}
