import { EXIT } from "../contract/errors.ts";
import { listSweeps } from "../runs/list-sweeps.ts";
import { listText } from "../runs/list-text.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn list`: prints the sweeps in the runs folder. */
export async function list(args: Arguments, context: Context): Promise<number> {
  const { runsDir } = runContext(args, context);
  const sweeps = listSweeps(runsDir);
  if (args.flag("json")) context.terminal.result(JSON.stringify(sweeps, null, 2));
  else if (sweeps.length > 0) context.terminal.result(listText(sweeps));
  else context.terminal.info(`${runsDir}: no sweep yet; start one with \`cliprpn sweep FILE\``);
  return EXIT.good;
}
