import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { checkFailIf } from "../report/conditions/fail-if.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { sweepsIn } from "../store/sweeps.ts";
import { checkConditions } from "../sweep/check-conditions.ts";
import { makeReport } from "../sweep/make-report.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";
import { checkCanOpen, openPage } from "./open-report.ts";

/** `cliprpn report [SWEEP]`: writes the report of a sweep. */
export async function report(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  if (args.flag("open")) checkCanOpen(context.env);
  const store = findSweep(args.text("sweep"), run.runsDir, run.cwd);
  const { experiment, trials } = store.read();
  const labels = trials.flatMap(({ asked, spec }) => (asked ? [spec.label] : []));
  const failIf = checkFailIf(args.list("fail-if"), {
    labels: [...new Set(labels)],
    baseline: experiment.baseline,
  });
  const engine = await openEngine(
    run,
    trials.map(({ spec }) => spec),
  );
  try {
    const split = chosenSplit(args);
    const { file, summary } = await makeReport(store, split, engine, run);
    context.terminal.result(file);
    const code = checkConditions(failIf, summary, context.terminal);
    if (args.flag("open")) await openPage(store.pageFile(split));
    return code;
  } finally {
    await engine.close();
  }
}

/** A sweep by its name or its folder; the newest one by default. @throws CliprpnError not_found. */
export function findSweep(name: string | undefined, runsDir: string, cwd: string): SweepStore {
  const sweeps = sweepsIn(runsDir);
  if (name === undefined) {
    const [newest] = sweeps;
    if (newest !== undefined) return newest;
    throw new CliprpnError(
      "not_found",
      `${runsDir}: expected a sweep, found none; run \`cliprpn sweep\` first`,
    );
  }
  const path = resolve(cwd, name);
  const byPath = existsSync(path) ? new SweepStore(dirname(dirname(path)), basename(path)) : undefined;
  // A folder of another kind may have the name of a sweep.
  const store = byPath?.exists ? byPath : sweeps.find((sweep) => sweep.name === name);
  if (store?.exists) return store;
  throw new CliprpnError(
    "not_found",
    `${name}: expected the name or the folder of a sweep in ${runsDir}, found neither; it has ${sweeps.length === 0 ? "no sweep" : sweeps.map((sweep) => sweep.name).join(", ")}`,
  );
}
