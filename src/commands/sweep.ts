import { hint } from "../base/hint.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { StoredPlan, TrialSpec } from "../contract/generated/types.ts";
import type { Plan } from "../experiment/plan.ts";
import { runPlan } from "../sweep/run-sweep.ts";
import { readPlan } from "../sweep/session.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn sweep FILE`: every trial of the plan that has no good outcome yet, then the report. */
export async function sweep(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  if (args.flag("dry-run")) return dryRun(plan, args, context);
  return runPlan({ plan, dataset, source: sourceOf(args), split: "val" }, args, context);
}

/** `cliprpn train FILE`: the plan's first trial, or the one of `--setting`. */
export async function train(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  const trial = chosenTrial(plan, args.text("setting"));
  const own = { ...plan, hash: trial.trial_id.slice(0, 8), trials: [trial] };
  return runPlan({ plan: own, dataset, source: sourceOf(args), split: "val" }, args, context);
}

function sourceOf(args: Arguments): StoredPlan["source"] {
  return { file: args.needed("file"), sets: args.list("set") };
}

function chosenTrial({ trials }: Plan, label: string | undefined): TrialSpec {
  const [first] = trials;
  const found = label === undefined ? first : trials.find((spec) => spec.label === label);
  if (found !== undefined) return found;
  const labels = [...new Set(trials.map((spec) => spec.label))];
  throw new CliprpnError(
    "bad_input",
    `--setting ${label}: expected one of this experiment's settings: ${labels.join(", ")}.${hint(label ?? "", labels)}`,
  );
}

export function dryRun(plan: Plan, args: Arguments, context: Context): number {
  if (args.flag("json")) {
    context.terminal.result(JSON.stringify(plan, null, 2));
    return EXIT.good;
  }
  const width = Math.max(...plan.trials.map(({ label }) => label.length));
  const rows = plan.trials.map((spec) => {
    const how = spec.kind === "baseline" ? spec.kind : `seed ${spec.seed}  ${spec.preset}`;
    return `${spec.trial_id}  ${spec.label.padEnd(width)}  ${how}`;
  });
  context.terminal.result(
    [plan.question, ...rows, `${rows.length} trials, ${plan.name}-${plan.hash}; nothing was started`].join(
      "\n",
    ),
  );
  return EXIT.good;
}
