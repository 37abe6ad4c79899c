import { join } from "node:path";
import type { Comparison } from "../compare/comparison.ts";
import { readComparisonFile } from "../compare/comparison-file.ts";
import { type ComparisonOptions, readComparisonOptions } from "../compare/comparison-options.ts";
import { resolveComparison } from "../compare/resolve.ts";
import { resultLine } from "../compare/result-line.ts";
import { runComparison } from "../compare/run-comparison.ts";
import { openSweeps } from "../compare/sweeps.ts";
import { CliprpnError } from "../contract/errors.ts";
import { checkFailIf } from "../report/conditions/fail-if.ts";
import { checkConditions } from "../sweep/check-conditions.ts";
import { openEngine } from "../sweep/open-engine.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";
import { checkCanOpen, openPage } from "./open-report.ts";

/** `cliprpn compare`: compares files of answers, trials and sweeps on the same data. */
export async function compare(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  if (args.flag("open")) checkCanOpen(context.env);
  const [first, ...others] = args.list("sources");
  if (first !== undefined && others.length > 0) {
    refuseOptions([...modelOptions, ...ruleOptions], args, "a comparison of sweeps");
    const opened = await openSweeps([first, ...others], chosenSplit(args), args.text("name"), run);
    try {
      return await writeComparison(opened.comparison, args, run);
    } finally {
      opened.close();
    }
  }
  if (args.text("split") !== undefined)
    throw new CliprpnError("bad_input", "--split: only valid for sweeps; write --data NAME:SPLIT");
  if (first !== undefined)
    refuseOptions([...modelOptions, ...ruleOptions, "name"], args, "a comparison file");
  const request =
    first === undefined
      ? readComparisonOptions(optionsOf(args), run.cwd)
      : readComparisonFile(first, run.cwd);
  return writeComparison(await resolveComparison(request, run), args, run);
}

/** Runs a comparison and prints its result. @returns the exit code. */
export async function writeComparison(
  comparison: Comparison,
  args: Arguments,
  run: RunContext,
): Promise<number> {
  const { terminal } = run;
  const failIf = checkFailIf(args.list("fail-if"), {
    labels: comparison.models.map(({ label }) => label),
    baseline: comparison.baseline ?? undefined,
    hasPrimary: comparison.data.length > 1,
  });
  const specs = comparison.models.flatMap((model) =>
    model.kind === "trials" ? model.trials.map(({ spec }) => spec) : [],
  );
  const engine = await openEngine(run, specs);
  try {
    const made = await runComparison(comparison, engine, run);
    terminal.info(made.verdict);
    terminal.result(args.flag("json") ? resultLine(comparison, made) : made.file);
    const splits = made.inputs.map(({ summary }, index) => ({
      name: comparison.data[index]?.name ?? summary.split,
      summary,
    }));
    const code = checkConditions(failIf, { splits, combined: made.combined }, terminal);
    if (args.flag("open")) await openPage(join(made.folder, "REPORT.html"));
    return code;
  } finally {
    await engine.close();
  }
}

/** What a comparison file says itself, and what sweeps have. */
const modelOptions = ["data", "results", "repeats", "format", "columns", "coordinates", "protocol", "only"];
const ruleOptions = ["primary", "baseline", "smallest-difference", "alpha", "force-coordinates"];

function refuseOptions(names: readonly string[], args: Arguments, what: string): void {
  const given = names.find((name) => args.flag(name) || args.list(name).some((value) => value !== "false"));
  if (given !== undefined)
    throw new CliprpnError("bad_input", `--${given}: not valid with ${what}; leave out one of the two`);
}

/** The options of the command as typed; `report` has some of them. */
export function optionsOf(args: Arguments): ComparisonOptions {
  return {
    data: args.list("data"),
    results: args.list("results"),
    repeats: args.list("repeats"),
    format: args.list("format"),
    columns: args.list("columns"),
    coordinates: args.list("coordinates"),
    forceCoordinates: args.flag("force-coordinates"),
    protocol: args.list("protocol"),
    baseline: args.text("baseline"),
    smallestDifference: args.text("smallest-difference"),
    alpha: args.text("alpha"),
    primary: args.list("primary"),
    only: args.list("only"),
    name: args.text("name"),
  };
}
