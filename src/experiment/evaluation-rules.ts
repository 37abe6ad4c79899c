import { basename, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import type { DatasetChoice, Experiment, Split } from "../contract/generated/types.ts";
import { datasetProblems } from "./file-rules.ts";
import { isFolder } from "./input-files.ts";
import type { Problem } from "./problem.ts";

/** A split to evaluate on, as written. */
export interface SplitChoice {
  dataset: DatasetChoice;
  split: Split;
}

/** Where datasets are. */
export interface SplitPlaces {
  /** Folders are relative to it. */
  cwd: string;
  /** The folder of prepared datasets. */
  data: string;
}

/** A text that names no split to evaluate on, with the reason. */
export interface NoSplitChoice {
  message: string;
}

/**
 * The split that NAME:SPLIT means. NAME is that of the experiment's own dataset, of another prepared one, `demo`, or a folder.
 *
 * @param own the experiment's dataset.
 */
export function splitChoice(
  text: string,
  own: DatasetChoice,
  { cwd, data }: SplitPlaces,
): SplitChoice | NoSplitChoice {
  const at = text.lastIndexOf(":");
  const name = text.slice(0, at);
  const typed = text.slice(at + 1);
  if (at <= 0 || typed.includes("/"))
    return { message: `expected NAME:SPLIT, such as refcocog-umd:test, found ${text}` };
  const split = evaluatedSplits.find((known) => known === typed);
  if (split === undefined)
    return {
      message:
        typed === "train"
          ? `expected another split than the one to train on: ${evaluatedSplits.join(", ")}; found ${text}`
          : `expected a split (${evaluatedSplits.join(", ")}) after the colon, found ${typed}.${didYouMean(typed, evaluatedSplits)}`,
    };
  return { dataset: datasetNamed(name, own, { cwd, data }), split };
}

/** The dataset that a name means: the experiment's own, another prepared one, `demo`, or a folder. */
export function datasetNamed(name: string, own: DatasetChoice, { cwd, data }: SplitPlaces): DatasetChoice {
  const folder = resolve(cwd, name);
  const ownName = own.name ?? (own.root === undefined ? "demo" : basename(own.root));
  if (name === ownName || folder === own.root) return own;
  const isName = name === "demo" || (!name.includes("/") && datasetProblems({ name }, data).length === 0);
  // A name without a dataset is reported as such.
  const isPath = !isName && (name.includes("/") || isFolder(folder));
  return isPath ? { root: folder } : { name };
}

/**
 * Checks `evaluate_on`.
 *
 * @param findSplits the splits of a dataset that have expressions; undefined if it is not prepared yet.
 */
export function evaluationProblems(
  { evaluate_on, dataset = {} }: Experiment,
  places: SplitPlaces,
  findSplits: (choice: DatasetChoice) => readonly Split[] | undefined,
): Problem[] {
  const seen = new Set<string>();
  return (evaluate_on ?? []).flatMap((text, index): Problem[] => {
    const problem = (message: string): Problem[] => [
      { path: ["evaluate_on", index], message: `evaluate_on[${index}]: ${message}` },
    ];
    const choice = splitChoice(text, dataset, places);
    if ("message" in choice) return problem(choice.message);
    if (seen.has(text)) return problem(`expected each split once, found ${text} again`);
    seen.add(text);
    // Problems of the experiment's own dataset are reported there.
    if (choice.dataset !== dataset) {
      const [first] = datasetProblems(choice.dataset, places.data);
      if (first !== undefined) return problem(first.message);
    } else if (datasetProblems(dataset, places.data).length > 0) return [];
    const splits = findSplits(choice.dataset)?.filter((split) => split !== "train");
    if (splits?.some((split) => split === choice.split) ?? true) return [];
    return problem(
      `expected a split that has expressions: ${splits?.join(", ") || "there is none"}; found ${choice.split}`,
    );
  });
}

/** Checks `train_on`; see `evaluationProblems`. */
export function trainingProblems(
  { train_on, dataset = {} }: Experiment,
  places: SplitPlaces,
  findSplits: (choice: DatasetChoice) => readonly Split[] | undefined,
): Problem[] {
  const names: string[] = train_on ?? [];
  return names.flatMap((name, index): Problem[] => {
    const problem = (message: string): Problem[] => [
      { path: ["train_on", index], message: `train_on[${index}]: ${message}` },
    ];
    if (names.indexOf(name) < index) return problem(`expected each dataset once, found ${name} again`);
    const choice = datasetNamed(name, dataset, places);
    const [first] = datasetProblems(choice, places.data);
    if (first !== undefined) return choice === dataset ? [] : problem(first.message);
    const splits = findSplits(choice);
    if (splits?.includes("train") ?? true) return [];
    return problem(`expected a dataset with a train split, found ${name} with ${splits?.join(", ")}`);
  });
}

const evaluatedSplits = ["val", "test", "testA", "testB"] as const satisfies readonly Split[];
