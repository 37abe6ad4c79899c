import { resolve } from "node:path";
import { findConfigurations } from "../audit/audited-models.ts";
import { exportChanges } from "../audit/export-changes.ts";
import { auditResult } from "../audit/result-line.ts";
import {
  type AuditOptions,
  auditAnswers,
  auditName,
  auditTrials,
  type MadeAudit,
} from "../audit/run-audit.ts";
import type { ComparedSplit } from "../compare/comparison.ts";
import { readComparisonOptions } from "../compare/comparison-options.ts";
import { collector } from "../compare/request.ts";
import { resolveComparison } from "../compare/resolve.ts";
import { resolveData } from "../compare/resolve-data.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Split, TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { describeUnreadable } from "../experiment/input-files.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import { isSweepName } from "../store/archive/layout.ts";
import { openEngine } from "../sweep/open-engine.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";
import { readPrompt } from "./dataset-questions.ts";

/** `cliprpn audit WHAT`: whether a model reads the expression. */
export async function audit(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const what = args.needed("what");
  const isOutside = args.list("answers").length > 0;
  if (args.text("export") !== undefined) {
    refuse(["answers", "data", "format", "columns", "force-coordinates", "name"], args, "--export");
    return ofQuestions(what, args, run);
  }
  refuse(["prompt", "image-paths"], args, isOutside ? "--answers" : "a trial or a sweep");
  if (isOutside) return ofAnswers(what, args, run);
  refuse(["format", "columns", "coordinates", "force-coordinates"], args, "a trial or a sweep");
  return ofTrials(what, args, run);
}

function refuse(names: readonly string[], args: Arguments, what: string): void {
  const given = names.find((name) => args.flag(name) || args.list(name).some((value) => value !== "false"));
  if (given !== undefined) throw new CliprpnError("bad_input", `--${given}: not valid with ${what}`);
}

async function ofQuestions(what: string, args: Arguments, run: RunContext): Promise<number> {
  const [coordinates, ...others] = args.list("coordinates");
  if (others.length > 0)
    throw new CliprpnError("bad_input", "--coordinates: expected those that the prompt asks for, once");
  const options = {
    ...readPrompt(coordinates, args),
    seed: seedOf(args),
    sent_ids: sentIdsOf(args),
    out_file: resolve(run.cwd, args.needed("export")),
  };
  const data = await splitOf(what, args, run);
  return withEngine(run, [], async (engine) => {
    const exported = await exportChanges(data, options, engine, run);
    const result = { file: options.out_file, data: data.name, ...exported };
    return args.flag("json") ? JSON.stringify(result) : args.needed("export");
  });
}

async function ofTrials(what: string, args: Arguments, run: RunContext): Promise<number> {
  const asked = askedOf(args);
  const configurations = findConfigurations(what, run);
  const named = args.text("data");
  const data = named === undefined ? undefined : await splitOf(named, args, run);
  const split = data?.split ?? chosenSplit(args);
  const trials = configurations.flatMap((each) => each.trials);
  const dataset = data?.dataset.name ?? trials[0]?.spec.dataset.name ?? "";
  const options = { ...asked, name: asked.name ?? auditName(what, dataset, split), split };
  return withEngine(
    run,
    trials.map(({ spec }) => spec),
    async (engine) => shown(await auditTrials(configurations, data, options, engine, run), args),
  );
}

async function ofAnswers(label: string, args: Arguments, run: RunContext): Promise<number> {
  const asked = askedOf(args);
  if (!/^[^=@]+$/.test(label))
    throw new CliprpnError("bad_input", `expected the name of a model without = and @, found ${label}`);
  const named = args.text("data");
  if (named === undefined)
    throw new CliprpnError(
      "bad_input",
      "--answers: expected also --data NAME:SPLIT, of which the questions are",
    );
  for (const file of args.list("answers")) {
    const unreadable = describeUnreadable(resolve(run.cwd, file));
    if (unreadable !== undefined)
      throw new CliprpnError(
        "bad_input",
        `--answers ${file}: expected a file of answers, found ${unreadable}`,
      );
  }
  // The files and how they are read are checked as those of a comparison.
  const request = readComparisonOptions(
    {
      ...none,
      data: [withSplit(named, args)],
      results: args.list("answers").map((file) => `${label}=${file}`),
      repeats: args.list("answers").length > 1 ? ["decoding"] : [],
      format: args.list("format"),
      columns: args.list("columns"),
      coordinates: args.list("coordinates"),
      forceCoordinates: args.flag("force-coordinates"),
      name: "audit",
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
  const name = asked.name ?? auditName(label, data.dataset.name, data.split);
  const options = { ...asked, name, split: data.split };
  return withEngine(run, [], async (engine) =>
    shown(await auditAnswers(label, files, model.reading, data, options, engine, run), args),
  );
}

function shown(made: MadeAudit, args: Arguments): string {
  return args.flag("json") ? auditResult(made) : made.file;
}

function askedOf(args: Arguments): Omit<AuditOptions, "name" | "split"> & { name: string | undefined } {
  const name = args.text("name");
  if (name !== undefined && !isSweepName(name))
    throw new CliprpnError(
      "bad_input",
      `--name: expected lower-case letters, digits and hyphens, found ${JSON.stringify(name)}`,
    );
  return { name, seed: seedOf(args), sentIds: sentIdsOf(args) };
}

function sentIdsOf(args: Arguments): number[] {
  const texts = args.list("sent-id");
  const wrong = texts.find((text) => !/^\d{1,15}$/.test(text));
  if (wrong !== undefined)
    throw new CliprpnError("bad_input", `--sent-id: expected whole numbers, found ${JSON.stringify(wrong)}`);
  return [...new Set(texts.map(Number))];
}

function seedOf(args: Arguments): number {
  const seed = args.number("seed") ?? 0;
  if (!Number.isSafeInteger(seed))
    throw new CliprpnError("bad_input", `--seed: expected a whole number, found ${seed}`);
  return seed;
}

async function splitOf(text: string, args: Arguments, run: RunContext): Promise<ComparedSplit> {
  const { problems, report } = collector();
  const request = readComparisonOptions({ ...none, data: [withSplit(text, args)] }, run.cwd, "cliprpn audit");
  const [data] = (await resolveData(request, run, report)).values();
  if (data === undefined || problems.length > 0) throw invalidError("cliprpn audit", problems);
  return data;
}

/** NAME:SPLIT, also of NAME and --split. */
function withSplit(text: string, args: Arguments): string {
  const split = args.text("split");
  const named = splits.find((each) => text.endsWith(`:${each}`));
  if (split === undefined || split === named) return text;
  if (named === undefined) return `${text}:${split}`;
  throw new CliprpnError("bad_input", `--split: expected ${named}, as in ${text}, found ${split}; name one`);
}

const splits: readonly Split[] = ["train", "val", "test", "testA", "testB"];

const none = {
  ...{ data: [], results: [], repeats: [], format: [], columns: [], coordinates: [], protocol: [] },
  ...{ primary: [], only: [], forceCoordinates: false },
  ...{ baseline: undefined, smallestDifference: undefined, alpha: undefined, name: undefined },
};

async function withEngine(
  run: RunContext,
  specs: readonly TrialSpec[],
  use: (engine: Engine) => Promise<string>,
): Promise<number> {
  const engine = await openEngine(run, specs);
  try {
    run.terminal.result(await use(engine));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}
