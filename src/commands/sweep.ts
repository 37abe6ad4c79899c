import { existsSync } from "node:fs";
import { didYouMean } from "../base/did-you-mean.ts";
import { quoteForShell } from "../base/format.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { StoredExperiment, TrialSpec } from "../contract/generated/types.ts";
import { type Plan, withSeed } from "../experiment/plan.ts";
import { checkFailIf } from "../report/conditions/fail-if.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { dryRun } from "../sweep/dry-run/dry-run.ts";
import { storedTarget } from "../sweep/evaluation-targets.ts";
import { type ReadPlan, readPlan } from "../sweep/read-plan.ts";
import { otherTargets } from "../sweep/results/combine-targets.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { runSweep } from "../sweep/run-sweep.ts";
import type { StoredPlan } from "../sweep/stored-plan.ts";
import { withCluster } from "./cluster-options.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { checkCanOpen, openPage } from "./open-report.ts";

/** `cliprpn sweep FILE`: runs the trials that are not finished, then writes the report. */
export async function sweep(args: Arguments, context: Context): Promise<number> {
  if (args.flag("open")) checkCanOpen(context.env);
  const read = await planFrom(args, context);
  return runPlan({ ...read, source: sourceOf(args) }, args, runContext(args, context));
}

/** Runs the trials of a plan, or shows with --dry-run what would run. The options are those of `sweep`. */
export async function runPlan(read: StoredPlan, args: Arguments, options: RunContext): Promise<number> {
  const labels = [...new Set(read.plan.trials.map(({ label }) => label))];
  const run = withCluster(options, read, args);
  const store = new SweepStore(run.runsDir, read.plan.name);
  const hasPrimary = otherTargets(store, read.targets.map(storedTarget), read.dataset).length > 0;
  const failIf = checkFailIf(args.list("fail-if"), { labels, baseline: read.plan.baseline, hasPrimary });
  if (args.flag("dry-run")) {
    await dryRun(read, run, preflightCommand(read.source));
    return EXIT.good;
  }
  const code = await runSweep({ ...read, split: "val", failIf }, run);
  const page = store.pageFile("val");
  if (args.flag("open") && existsSync(page)) await openPage(page);
  return code;
}

/** `cliprpn train FILE`: runs one trial, the plan's first or the one of `--setting`. */
export async function train(args: Arguments, context: Context): Promise<number> {
  const read = await planFrom(args, context);
  const { plan } = read;
  const trial = chooseTrial(plan, args.text("setting"), args.number("seed"));
  const { baseline: _, ...alone } = plan; // There is nothing to compare.
  // One trial to try something: no test split is looked at for it.
  const trialPlan = { ...alone, name: `${plan.name}-${trial.trial_id.slice(0, 8)}`, trials: [trial] };
  return runSweep(
    { ...read, plan: trialPlan, targets: [], source: sourceOf(args), split: "val" },
    runContext(args, context),
  );
}

/** For the experiment as it was given. */
function preflightCommand({ file, sets }: StoredPlan["source"]): string {
  const options = sets.map((set) => ` --set ${quoteForShell(set)}`);
  return `\`cliprpn preflight ${quoteForShell(file)}${options.join("")}\``;
}

function planFrom(args: Arguments, context: Context): Promise<ReadPlan> {
  return readPlan(args.needed("file"), args.list("set"), runContext(args, context));
}

function sourceOf(args: Arguments): StoredExperiment["source"] {
  return { file: args.needed("file"), sets: args.list("set") };
}

/**
 * The trial of a configuration, by default the first, with a seed, by default its first; any other seed is possible, too.
 *
 * @throws CliprpnError bad_input if no configuration has this label.
 */
function chooseTrial({ trials }: Plan, label: string | undefined, seed: number | undefined): TrialSpec {
  const [first] = trials;
  const trial = label === undefined ? first : trials.find((spec) => spec.label === label);
  if (trial !== undefined) return seed === undefined ? trial : withSeed(trial, seed);
  const labels = [...new Set(trials.map((spec) => spec.label))];
  throw new CliprpnError(
    "bad_input",
    `--setting ${label}: expected a configuration of this experiment: ${labels.join(", ")}.${didYouMean(label ?? "", labels)}`,
  );
}
