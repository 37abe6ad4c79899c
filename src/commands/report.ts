import { checkFailIf } from "../report/conditions/fail-if.ts";
import { findSweep } from "../store/find-sweep.ts";
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
