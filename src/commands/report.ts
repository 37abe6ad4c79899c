import { readComparisonOptions } from "../compare/comparison-options.ts";
import { withSweep } from "../compare/with-sweep.ts";
import { CliprpnError } from "../contract/errors.ts";
import { checkFailIf } from "../report/conditions/fail-if.ts";
import { findSweep } from "../store/find-sweep.ts";
import { checkConditions } from "../sweep/check-conditions.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { otherTargets } from "../sweep/results/combine-targets.ts";
import { makeReport } from "../sweep/results/make-report.ts";
import { acceptDetached } from "../sweep/run/detach.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { optionsOf, writeComparison } from "./compare.ts";
import { chosenSplit } from "./dataset-choice.ts";
import { checkCanOpen, openPage } from "./open-report.ts";
import { resultsOptions } from "./shared-options.ts";

/** `cliprpn report [SWEEP]`: writes the report of a sweep; with `--results`, of the sweep beside other models. */
export async function report(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  if (args.flag("open")) checkCanOpen(context.env);
  const store = findSweep(args.text("sweep"), run.runsDir, run.cwd);
  if (args.list("results").length > 0) {
    const request = readComparisonOptions(optionsOf(args), run.cwd, "cliprpn report");
    return writeComparison(await withSweep(store, chosenSplit(args), request, run), args, run);
  }
  refuseWithoutResults(args);
  acceptDetached(store);
  const { experiment, trials } = store.read();
  const labels = trials.flatMap(({ asked, spec }) => (asked ? [spec.label] : []));
  const split = chosenSplit(args);
  const failIf = checkFailIf(args.list("fail-if"), {
    labels: [...new Set(labels)],
    baseline: experiment.baseline,
    hasPrimary: split === "val" && otherTargets(store, experiment.evaluate_on, experiment.dataset).length > 0,
  });
  const engine = await openEngine(
    run,
    trials.map(({ spec }) => spec),
  );
  try {
    const { file, summary, combined } = await makeReport(store, split, engine, run);
    context.terminal.result(file);
    const figures = { splits: [{ name: split, summary }], combined };
    const code = checkConditions(failIf, figures, context.terminal);
    if (args.flag("open")) await openPage(store.pageFile(split));
    return code;
  } finally {
    await engine.close();
  }
}

function refuseWithoutResults(args: Arguments): void {
  const given = ["json", ...Object.keys(resultsOptions)].find(
    (name) => args.flag(name) || args.list(name).some((value) => value !== "false"),
  );
  if (given !== undefined)
    throw new CliprpnError("bad_input", `--${given}: only valid with --results NAME=FILE; add it`);
}
