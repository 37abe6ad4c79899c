import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { namesIn } from "../base/files.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { OnlyList, Split } from "../contract/generated/types.ts";
import { type DatasetIdentity, findDataset, preparedFolder } from "../dataset/identify-dataset.ts";
import { isPrepared, readFacts } from "../dataset/prepare/prepared-folder.ts";
import { describeUnreadable } from "../experiment/input-files.ts";
import { dataFolders, namedDataset } from "../sweep/datasets.ts";
import type { Context } from "../sweep/run-context.ts";
import type { ComparedSplit } from "./comparison.ts";
import { type ComparisonRequest, pathOf, type Report, type Written } from "./request.ts";

/** The splits to compare on, by the names that the person wrote. Problems are reported; what has one is left out. */
export async function resolveData(
  request: ComparisonRequest,
  context: Context,
  report: Report,
): Promise<Map<string, ComparedSplit>> {
  const found = new Map<string, ComparedSplit>();
  const names = new Set<string>();
  if (request.data.length === 0)
    report({ where: "--data", offset: 0 }, "expected a dataset, NAME or NAME:SPLIT, such as demo:test");
  for (const written of request.data) {
    const each = await resolveSplit(written, request, context, report);
    if (each === undefined) continue;
    if (names.has(each.name)) report(written, `expected each split once, found ${each.name} again`);
    names.add(each.name);
    found.set(written.value, each);
  }
  choosePrimary(request, found, report);
  addLists(request, found, report);
  return found;
}

/** The split that a text names, also by the full name: `refcocog:test` is `refcocog-umd:test`. */
export function splitNamed(
  text: string,
  data: ReadonlyMap<string, ComparedSplit>,
): ComparedSplit | undefined {
  return data.get(text) ?? [...data.values()].find(({ name }) => name === text);
}

async function resolveSplit(
  written: Written<string>,
  { folder }: ComparisonRequest,
  context: Context,
  report: Report,
): Promise<ComparedSplit | undefined> {
  const { name, split: typed } = splitOf(written.value);
  const split = splits.find((known) => known === typed);
  if (split === undefined) {
    report(
      written,
      `expected a split (${splits.join(", ")}) after the colon, found ${typed}.${didYouMean(typed, splits)}`,
    );
    return undefined;
  }
  if (name !== "demo" && !existsSync(resolve(folder, name)) && !isKnown(name, context)) {
    report(written, unknownDataset(name, context));
    return undefined;
  }
  try {
    // Files of answers need the sizes of the images, but not the images; a trial has them checked before it runs.
    const dataset = await findDataset(namedDataset(name, undefined, context, folder), dataFolders(context));
    const missing = missingSplit(dataset, split);
    if (missing === undefined)
      return { name: `${dataset.name}:${split}`, dataset, split, inPrimary: false, only: null };
    report(written, missing);
  } catch (error) {
    if (!(error instanceof CliprpnError)) throw error;
    report(written, error.message);
  }
  return undefined;
}

function isKnown(name: string, context: Context): boolean {
  return !name.includes("/") && existsSync(preparedFolder(name, undefined, dataFolders(context).data));
}

function unknownDataset(name: string, context: Context): string {
  const { data } = dataFolders(context);
  const prepared = namesIn(data).filter((each) => isPrepared(join(data, each)));
  const known = ["demo", ...prepared];
  return `expected demo, a prepared dataset or a folder, found no ${name}; prepared in ${data}: ${prepared.join(", ") || "none"}.${didYouMean(name, known)}`;
}

/** Why a dataset cannot be compared on a split; undefined if it can, or is prepared later. */
export function missingSplit({ root, name }: DatasetIdentity, split: Split): string | undefined {
  if (!isPrepared(root)) return undefined;
  const counts = readFacts(root).splits.filter(({ num_sentences }) => num_sentences > 0);
  if (counts.some((each) => each.split === split)) return undefined;
  return `expected a split of ${name}: ${counts.map((each) => each.split).join(", ")}; found ${split}`;
}

function splitOf(text: string): { name: string; split: string } {
  const at = text.lastIndexOf(":");
  return at <= 0 || text.slice(at).includes("/")
    ? { name: text, split: "val" }
    : { name: text.slice(0, at), split: text.slice(at + 1) };
}

const splits = ["train", "val", "test", "testA", "testB"] as const satisfies readonly Split[];

/** The primary endpoint: what is declared, else all test splits, else everything. */
function choosePrimary(
  { primary }: ComparisonRequest,
  data: Map<string, ComparedSplit>,
  report: Report,
): void {
  const all = [...data.values()];
  const tests = all.filter(({ split }) => split.startsWith("test"));
  const chosen = primary.flatMap((written) => {
    const each = splitNamed(written.value, data);
    if (each === undefined) report(written, unknownData("the primary endpoint", written.value, data));
    return each ?? [];
  });
  const defaults = tests.length > 0 ? tests : all;
  for (const each of primary.length > 0 ? chosen : defaults) each.inPrimary = true;
}

function addLists(request: ComparisonRequest, data: Map<string, ComparedSplit>, report: Report): void {
  for (const { file, data: name } of request.only) {
    const path = pathOf(request, file);
    const unreadable = describeUnreadable(path);
    if (unreadable !== undefined) report(file, `expected a list of expressions, found ${unreadable}`);
    const each = name === undefined ? undefined : splitNamed(name, data);
    if (name !== undefined && each === undefined) report(file, unknownData("the list", name, data));
    const list: OnlyList = { file: path, name: basename(path) };
    for (const split of name === undefined ? data.values() : each === undefined ? [] : [each])
      split.only = list;
  }
}

/** "expected one of ..., for the primary endpoint, found ...". */
export function unknownData(what: string, found: string, data: ReadonlyMap<string, ComparedSplit>): string {
  const names = [...data.values()].map(({ name }) => name);
  return `expected one of the compared splits for ${what}: ${names.join(", ") || "there is none"}; found ${found}.${didYouMean(found, names)}`;
}
