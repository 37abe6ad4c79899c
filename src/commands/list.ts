import { EXIT } from "../contract/errors.ts";
import { listComparisons } from "../runs/list-comparisons.ts";
import { listSweeps } from "../runs/list-sweeps.ts";
import { listText } from "../runs/list-text.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn list`: prints the sweeps and comparisons in the runs folder. */
export async function list(args: Arguments, context: Context): Promise<number> {
  const { runsDir } = runContext(args, context);
  const sweeps = listSweeps(runsDir);
  const comparisons = listComparisons(runsDir);
  if (args.flag("json")) {
    const marked = comparisons.map((comparison) => ({ kind: "comparison", ...comparison }));
    context.terminal.result(JSON.stringify([...sweeps, ...marked], null, 2));
  } else if (sweeps.length + comparisons.length > 0) context.terminal.result(listText(sweeps, comparisons));
  else context.terminal.info(`${runsDir}: no sweep yet; start one with \`cliprpn sweep FILE\``);
  return EXIT.good;
}
