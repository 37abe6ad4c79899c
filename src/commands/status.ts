import { EXIT } from "../contract/errors.ts";
import { statusText } from "../runs/status-text.ts";
import { sweepStatus } from "../runs/sweep-status.ts";
import { findSweep } from "../store/find-sweep.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn status [SWEEP]`: prints what a sweep is doing, by default the one that was changed last. */
export async function status(args: Arguments, context: Context): Promise<number> {
  const { runsDir, cwd } = runContext(args, context);
  const shown = sweepStatus(findSweep(args.text("sweep"), runsDir, cwd));
  context.terminal.result(args.flag("json") ? JSON.stringify(shown, null, 2) : statusText(shown));
  return EXIT.good;
}
