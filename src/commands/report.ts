import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { SweepStore, sweepFolders } from "../store/sweep-store.ts";
import { makeReport } from "../sweep/make-report.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";

/** `cliprpn report [SWEEP]`: writes the report of a sweep. */
export async function report(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const name = args.text("sweep");
  const folder = name === undefined ? sweepFolders(run.runsDir)[0] : findSweep(name, run.runsDir, run.cwd);
  if (folder === undefined)
    throw new CliprpnError(
      "not_found",
      `${run.runsDir}: expected a sweep, found none; run \`cliprpn sweep\` first`,
    );
  const store = SweepStore.open(folder);
  const engine = await openEngine(run, store.plan.trials);
  try {
    context.terminal.result(await makeReport(store, chosenSplit(args), engine, run));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/** A sweep's folder by its path, or by its name below the runs folder. */
function findSweep(name: string, runsDir: string, cwd: string): string {
  const path = resolve(cwd, name);
  return existsSync(path) ? path : resolve(runsDir, name);
}
