import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { counted } from "../base/format.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { BoxFormat, DatasetChoice } from "../contract/generated/types.ts";
import { type DatasetIdentity, findDataset } from "../dataset/identify-dataset.ts";
import { isPrepared } from "../dataset/prepare/prepared-folder.ts";
import { boxFormats } from "../dataset/prepare/rows-source.ts";
import type { Engine } from "../engine/engine.ts";
import { dataFolders, ensureDataset, namedDataset } from "../sweep/datasets.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { datasetCheck } from "./dataset-check.ts";
import { chosenSplitBy } from "./dataset-choice.ts";
import { datasetCompare, type NamedDataset } from "./dataset-compare.ts";
import { exportQuestions, readQuestionOptions } from "./dataset-questions.ts";
import { datasetShow } from "./dataset-show.ts";

type Action = (
  dataset: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  context: Context,
) => Promise<number>;

/** `cliprpn dataset show|check|export NAME`. */
export async function dataset(args: Arguments, context: Context): Promise<number> {
  const typed = args.needed("action");
  const action = actions[typed];
  if (action === undefined)
    throw new CliprpnError(
      "bad_input",
      `${typed}: expected ${Object.keys(actions).join(", ")}.${didYouMean(typed, Object.keys(actions))}`,
    );
  if (typed === "export") outFile(args, context);
  readQuestionOptions(typed, args, context);
  const [name = "", ...others] = args.list("names");
  if (others.length > 0 && typed !== "check")
    throw new CliprpnError("bad_input", `${typed}: expected one dataset, found ${others.length + 1}`);
  const engine = await openEngine(runContext(args, context));
  try {
    if (others.length > 0) return await compareNamed([name, ...others], engine, args, context);
    const identity = await findDataset(choose(name, args, context), dataFolders(context));
    // `check` must not change an existing dataset; the other actions update it first.
    if (!(typed === "check" && isPrepared(identity.root))) await ensureDataset(identity, [], engine, context);
    return await action(identity, engine, args, context);
  } finally {
    await engine.close();
  }
}

const actions: Record<string, Action> = {
  show: datasetShow,
  check: datasetCheck,
  export: exportDataset,
};

/** @throws CliprpnError not_found; bad_input if one dataset is named twice. */
async function compareNamed(
  names: string[],
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const datasets: NamedDataset[] = [];
  for (const name of names) {
    const identity = await findDataset(choose(name, args, context), dataFolders(context));
    const before = datasets.find(({ root }) => root === identity.root);
    if (before !== undefined)
      throw new CliprpnError(
        "bad_input",
        `${before.name} and ${name} are the same dataset: ${identity.root}`,
      );
    if (!isPrepared(identity.root)) await ensureDataset(identity, [], engine, context);
    datasets.push({ name, root: identity.root });
  }
  return datasetCompare(datasets, engine, args, context);
}

/** @throws CliprpnError not_found, with the names of the prepared datasets. */
function choose(name: string, args: Arguments, context: Context): DatasetChoice {
  const choice = namedDataset(name, chosenSplitBy(args), context);
  if (choice.root === undefined || existsSync(choice.root)) return choice;
  const { data } = dataFolders(context);
  const prepared = existsSync(data) ? readdirSync(data).filter((entry) => isPrepared(join(data, entry))) : [];
  throw new CliprpnError(
    "not_found",
    `${name}: expected demo, a folder, or a prepared dataset (${
      prepared.length > 0 ? prepared.join(", ") : `none in ${data}; make one with \`cliprpn prepare\``
    }).${didYouMean(name, prepared)}`,
  );
}

async function exportDataset(
  { root }: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const out_file = outFile(args, context);
  const questions = readQuestionOptions("export", args, context);
  if (questions !== undefined) return exportQuestions({ root, out_file, ...questions }, engine, context);
  const format = args.text("format") === "coco" ? "coco" : "jsonl";
  const { num_sentences } = await engine.call(
    "export_dataset",
    { root, format, box_format: boxFormat(args), out_file },
    { signal: context.signal },
  );
  context.terminal.info(`${counted(num_sentences, "referring expression")}, boxes ${boxFormat(args)}`);
  context.terminal.result(out_file);
  return EXIT.good;
}

/** @throws CliprpnError bad_input. */
function outFile(args: Arguments, { cwd }: Context): string {
  const out = args.text("out");
  if (out === undefined)
    throw new CliprpnError("bad_input", "--out: expected an output file, such as expressions.jsonl");
  if (/\.(csv|tsv|xlsx|parquet)$/i.test(out))
    throw new CliprpnError(
      "bad_input",
      `--out ${out}: expected a .jsonl or .json file, as JSON Lines or COCO are written`,
    );
  return resolve(cwd, out);
}

function boxFormat(args: Arguments): BoxFormat {
  return boxFormats.find((format) => format === args.text("box-format")) ?? "xywh";
}
