import { counted } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Split } from "../contract/generated/types.ts";
import { type DataFolders, type DatasetIdentity, findDatasetById } from "../dataset/identify-dataset.ts";
import { readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { dataFolders } from "../sweep/datasets.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { TrialsModel } from "./comparison.ts";

/** A sweep to compare with others. */
export interface ComparedSweep {
  /** As typed. */
  text: string;
  /** Shown in the report. */
  name: string;
  store: SweepStore;
  models: TrialsModel[];
}

/** @throws CliprpnError bad_input with all reasons why the sweeps cannot be compared. */
export function checkComparable(sweeps: readonly ComparedSweep[], split: Split, run: RunContext): void {
  const reasons = sweeps.flatMap(({ text, models }) =>
    models.length === 0 ? [`${text}: expected at least one completed trial, found none`] : [],
  );
  const [first, ...others] = sweeps;
  for (const other of others)
    if (first !== undefined) reasons.push(...differentData(first, other, dataFolders(run)));
  const again = others.find(({ store }) =>
    sweeps.some((each) => each.store !== store && each.store.folder === store.folder),
  );
  if (again !== undefined) reasons.push(`${again.text}: expected different sweeps, found the same twice`);
  if (reasons.length > 0)
    throw new CliprpnError(
      "bad_input",
      `${reasons.join("\n")}\nThese sweeps cannot be compared on ${split}; nothing was written`,
    );
}

/** The dataset of the sweeps, on this machine. @throws CliprpnError not_found. */
export async function datasetOfSweep(
  sweeps: readonly ComparedSweep[],
  run: RunContext,
): Promise<DatasetIdentity> {
  const folders = dataFolders(run);
  const datasets = sweeps.flatMap(({ models }) =>
    models.flatMap(({ trials }) => trials.map(({ spec }) => spec.dataset)),
  );
  for (const dataset of datasets) {
    const root = findDatasetById(dataset, folders);
    if (root !== undefined) return { ...dataset, root };
  }
  const [first] = datasets;
  throw new CliprpnError(
    "not_found",
    `${first?.name}: expected the dataset of the sweeps (${first?.id}) in ${folders.data} or ${folders.cache}, found it in neither; prepare it, or set CLIPRPN_DATA to the folder that contains it`,
  );
}

/** What differs between the data of two sweeps, as far as it is known here. */
function differentData(a: ComparedSweep, b: ComparedSweep, folders: DataFolders): string[] {
  const [dataA, dataB] = [a, b].map(({ models }) => models[0]?.trials[0]?.spec.dataset);
  if (dataA === undefined || dataB === undefined || dataA.id === dataB.id) return [];
  const parts = [
    ...(dataA.name === dataB.name ? [] : [`the dataset (${dataA.name} and ${dataB.name})`]),
    ...(dataA.split_by === dataB.split_by
      ? []
      : [`the split rule (${dataA.split_by} and ${dataB.split_by})`]),
    ...differentFacts(findDatasetById(dataA, folders), findDatasetById(dataB, folders)),
  ];
  const what = parts.length === 0 ? "its annotations, images or how they were read" : parts.join(", ");
  return [
    `${b.text}: expected the dataset of ${a.text} (${dataA.id}), found another one (${dataB.id}); what differs: ${what}`,
  ];
}

/** Numbers of expressions and versions, if both datasets are here. */
function differentFacts(rootA: string | undefined, rootB: string | undefined): string[] {
  if (rootA === undefined || rootB === undefined) return [];
  try {
    const [a, b] = [readFacts(rootA), readFacts(rootB)];
    return [
      ...(a.split_rule === b.split_rule ? [] : [`the split rule (${a.split_rule}; ${b.split_rule})`]),
      ...a.splits.flatMap(({ split, num_sentences }) => {
        const other = b.splits.find((each) => each.split === split)?.num_sentences ?? 0;
        return other === num_sentences
          ? []
          : [`${split} (${counted(num_sentences, "expression")} and ${counted(other, "expression")})`];
      }),
      ...(a.cliprpn_version === b.cliprpn_version
        ? []
        : [`the version of cliprpn that prepared it (${a.cliprpn_version} and ${b.cliprpn_version})`]),
    ];
  } catch (error) {
    if (error instanceof CliprpnError) return []; // One of them is damaged.
    throw error;
  }
}
