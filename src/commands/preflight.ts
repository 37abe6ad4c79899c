import { join, resolve } from "node:path";
import { runPreflight } from "../preflight/run-preflight.ts";
import { readPlan } from "../sweep/read-plan.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn preflight FILE`: checks the machine, the weights and the data, and writes PREFLIGHT.md. */
export async function preflight(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const read = await readPlan(args.needed("file"), args.list("set"), run);
  const folder = resolve(run.cwd, args.text("out") ?? join("preflight", read.plan.name));
  const overfit_limit_s = 60 * (args.number("overfit-minutes") ?? 2);
  const measureAgain = args.flag("measure-again");
  return runPreflight(read, { folder, overfit_limit_s, measureAgain }, run);
}
