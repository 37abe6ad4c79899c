import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { cacheDir } from "../runtime/cache-dir.ts";
import { findTrial, SweepStore } from "../store/sweep-store.ts";
import type { Arguments, Context } from "./command.ts";
import { lookAt } from "./report.ts";
import { openEngine, runsFolder } from "./session.ts";

/** `cliprpn evaluate TRIAL`: figures on a split, as JSON. */
export async function evaluate(args: Arguments, context: Context): Promise<number> {
  const trial_dir = findTrial(args.needed("trial"), runsFolder(args, context), context.cwd);
  const split = args.text("split") === "test" ? "test" : "val";
  const engine = await openEngine(args, context);
  try {
    const sweep = dirname(trial_dir);
    if (existsSync(join(sweep, "plan.json"))) lookAt(SweepStore.open(sweep), split, context.commandLine);
    const result = await engine.call(
      "evaluate",
      { trial_dir, split, dataset: null, cache_dir: cacheDir(context.env) },
      { signal: context.signal },
    );
    context.terminal.result(JSON.stringify(result, null, 2));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}
