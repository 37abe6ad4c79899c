import { resolve } from "node:path";
import { findConfigurations } from "../audit/audited-models.ts";
import {
  type AuditOptions,
  auditAnswers,
  auditName,
  auditTrials,
  exportQuestions,
} from "../audit/run-audit.ts";
import type { ComparedSplit } from "../compare/comparison.ts";
import { readComparisonOptions } from "../compare/comparison-options.ts";
import { collector } from "../compare/request.ts";
import { resolveComparison } from "../compare/resolve.ts";
import { resolveData } from "../compare/resolve-data.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import { openEngine } from "../sweep/open-engine.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";

/** `cliprpn audit WHAT`: whether a model reads the expression. */
export async function audit(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const what = args.needed("what");
  const questions = args.text("export");
  if (questions !== undefined) {
    const data = await splitOf(what, run);
    return withEngine(run, async (engine) => {
      await exportQuestions(data, seedOf(args), resolve(run.cwd, questions), engine, run);
      return questions;
    });
  }
  return args.list("answers").length > 0 ? ofAnswers(what, args, run) : ofTrials(what, args, run);
}

async function ofTrials(what: string, args: Arguments, run: RunContext): Promise<number> {
  const configurations = findConfigurations(what, run);
  const named = args.text("data");
  const data = named === undefined ? undefined : await splitOf(named, run);
  const split = data?.split ?? chosenSplit(args);
  const trials = configurations.flatMap((each) => each.trials);
  const dataset = data?.dataset.name ?? trials[0]?.spec.dataset.name ?? "";
  const options = optionsOf(what, dataset, split, args);
  return withEngine(run, (engine) => auditTrials(configurations, data, options, engine, run), trials);
}

async function ofAnswers(label: string, args: Arguments, run: RunContext): Promise<number> {
  const named = args.text("data");
  if (named === undefined)
    throw new CliprpnError(
      "bad_input",
      "--answers: expected also --data NAME:SPLIT, of which the questions are",
    );
  // The files and how they are read are checked as those of a comparison.
  const request = readComparisonOptions(
    {
      data: [named],
      results: args.list("answers").map((file) => `${label}=${file}`),
      repeats: args.list("answers").length > 1 ? ["decoding"] : [],
      format: args.list("format"),
      columns: args.list("columns"),
      coordinates: args.list("coordinates"),
      forceCoordinates: args.flag("force-coordinates"),
      ...{ protocol: [], primary: [], only: [], name: "audit" },
      ...{ baseline: undefined, smallestDifference: undefined, alpha: undefined },
    },
    run.cwd,
    "cliprpn audit",
  );
  const comparison = await resolveComparison(request, run);
  const [data] = comparison.data;
  const [model] = comparison.models;
  if (data === undefined || model?.kind !== "results")
    throw new CliprpnError("bad_input", "--answers: expected files of answers, found a trial or a sweep");
  const files = model.files.get(data.name) ?? [];
  const options = optionsOf(label, data.dataset.name, data.split, args);
  return withEngine(run, (engine) => auditAnswers(label, files, model.reading, data, options, engine, run));
}

function optionsOf(
  what: string,
  dataset: string,
  split: AuditOptions["split"],
  args: Arguments,
): AuditOptions {
  const sentIds = args.list("sent-id").map(Number);
  if (sentIds.some((id) => !Number.isInteger(id)))
    throw new CliprpnError(
      "bad_input",
      `--sent-id: expected whole numbers, found ${args.list("sent-id").join(", ")}`,
    );
  return {
    name: args.text("name") ?? auditName(what, dataset, split),
    split,
    seed: seedOf(args),
    sentIds,
  };
}

function seedOf(args: Arguments): number {
  return args.number("seed") ?? 0;
}

async function splitOf(text: string, run: RunContext): Promise<ComparedSplit> {
  const { problems, report } = collector();
  const request = readComparisonOptions({ ...none, data: [text] }, run.cwd, "cliprpn audit");
  const [data] = (await resolveData(request, run, report)).values();
  if (data === undefined || problems.length > 0) throw invalidError("cliprpn audit", problems);
  return data;
}

const none = {
  ...{ data: [], results: [], repeats: [], format: [], columns: [], coordinates: [], protocol: [] },
  ...{ primary: [], only: [], forceCoordinates: false },
  ...{ baseline: undefined, smallestDifference: undefined, alpha: undefined, name: undefined },
};

async function withEngine(
  run: RunContext,
  use: (engine: Engine) => Promise<string>,
  trials: readonly { spec: TrialSpec }[] = [],
): Promise<number> {
  const engine = await openEngine(
    run,
    trials.map(({ spec }) => spec),
  );
  try {
    run.terminal.result(await use(engine));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}
