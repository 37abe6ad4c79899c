import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { BoxFormat, DatasetChoice } from "../contract/generated/types.ts";
import { type DatasetIdentity, findDataset } from "../dataset/identify-dataset.ts";
import { boxFormats } from "../dataset/prepare/own-rows.ts";
import { type ImageSize, isPrepared, preparedSizes } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { presets } from "../experiment/presets.ts";
import { dataFolders, ensureDataset } from "../sweep/datasets.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { checkDataset } from "./dataset-check.ts";
import { chosenSplitBy, namedDataset } from "./dataset-choice.ts";
import { showDataset } from "./dataset-show.ts";

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
  const found = await findDataset(chosen(args, context), dataFolders(context));
  const engine = await openEngine(runContext(args, context));
  try {
    // What is there is checked as it is; `show` sees to it that it is up to date first.
    if (!(typed === "check" && isPrepared(found.root)))
      await ensureDataset(found, sizesToHave(found), engine, context);
    return await action(found, engine, args, context);
  } finally {
    await engine.close();
  }
}

const actions: Record<string, Action> = {
  show: showDataset,
  check: checkDataset,
  export: exportDataset,
};

/** @throws CliprpnError not_found, naming what there is. */
function chosen(args: Arguments, context: Context): DatasetChoice {
  const name = args.needed("name");
  const choice = namedDataset(name, chosenSplitBy(args), context);
  if (choice.root === undefined || existsSync(choice.root)) return choice;
  const { data } = dataFolders(context);
  const there = existsSync(data) ? readdirSync(data).filter((each) => isPrepared(join(data, each))) : [];
  throw new CliprpnError(
    "not_found",
    `${name}: expected demo, a folder, or a prepared data set (${
      there.length > 0 ? there.join(", ") : `none in ${data}; \`cliprpn prepare\` makes one`
    }).${didYouMean(name, there)}`,
  );
}

/** Of a set that is prepared on first use: what it has, or what experiments use most. A person's own is taken as it is. */
function sizesToHave({ raw, root }: DatasetIdentity): ImageSize[] {
  if (raw === undefined) return [];
  const { image_size_px, resize } = presets.default;
  const there = preparedSizes(root);
  return there.length > 0 ? there : [{ image_size_px, resize }];
}

async function exportDataset(
  { root }: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const out_file = outFile(args, context);
  const format = args.text("format") === "coco" ? "coco" : "jsonl";
  const { num_sentences } = await engine.call(
    "export_dataset",
    { root, format, box_format: boxFormat(args), out_file },
    { signal: context.signal },
  );
  context.terminal.info(`${num_sentences} sentences, boxes ${boxFormat(args)}`);
  context.terminal.result(out_file);
  return EXIT.good;
}

/** @throws CliprpnError bad_input. */
function outFile(args: Arguments, { cwd }: Context): string {
  const out = args.text("out");
  if (out === undefined)
    throw new CliprpnError("bad_input", "export needs --out: the file to write, such as sentences.jsonl");
  return resolve(cwd, out);
}

function boxFormat(args: Arguments): BoxFormat {
  return boxFormats.find((each) => each === args.text("box-format")) ?? "xywh";
}
