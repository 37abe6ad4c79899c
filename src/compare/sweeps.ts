import { existsSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { makeTempFolder, removeTempFolder } from "../base/temp-folder.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Split } from "../contract/generated/types.ts";
import { defaultAlpha } from "../experiment/presets.ts";
import { checkArchive } from "../store/archive/check-archive.ts";
import { importArchive } from "../store/archive/import-archive.ts";
import { isSweepName } from "../store/archive/layout.ts";
import { SweepArchive } from "../store/archive/open-archive.ts";
import { findSweep } from "../store/find-sweep.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { placesHere } from "../sweep/locate-trial.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type ComparedSweep, checkComparable, datasetOfSweep } from "./comparable.ts";
import type { Comparison, TrialsModel } from "./comparison.ts";
import { defaultName } from "./resolve.ts";
import { modelsOfSweep } from "./resolve-trials.ts";

/** A comparison of sweeps; archives lie in a temporary folder until it is closed. */
export interface OpenedSweeps {
  comparison: Comparison;
  close(): void;
}

/**
 * Opens sweeps of this and of other machines, and checks that they can be compared.
 *
 * @param texts names of sweeps, folders of sweeps in any runs folder, and archives of `cliprpn export`.
 * @throws CliprpnError not_found; bad_input with the reason why they cannot be compared; data_invalid for a damaged archive.
 */
export async function openSweeps(
  texts: readonly string[],
  split: Split,
  name: string | undefined,
  run: RunContext,
): Promise<OpenedSweeps> {
  const folders: string[] = [];
  const close = (): void => folders.forEach(removeTempFolder);
  try {
    const sweeps: ComparedSweep[] = [];
    for (const text of texts) sweeps.push(await openSweep(text, folders, run));
    return { comparison: await comparisonOf(withNames(sweeps), split, name, run), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function openSweep(text: string, folders: string[], run: RunContext): Promise<ComparedSweep> {
  const path = resolve(run.cwd, text);
  const isFile = existsSync(path) && statSync(path).isFile();
  if (isFile && extname(path) !== ".zip")
    throw new CliprpnError(
      "bad_input",
      `${text}: expected a sweep, its folder, or an archive of \`cliprpn export\` (.zip), found another file; files of answers need --results NAME=FILE`,
    );
  const store = isFile ? await openArchive(path, folders, run) : findSweep(text, run.runsDir, run.cwd);
  const isForeign = resolve(store.runsDir) !== resolve(run.runsDir);
  return { text, name: store.name, store, models: modelsOfSweep(store, isForeign) };
}

/** Checks an archive as `import` does, and imports it into a runs folder of its own. */
async function openArchive(path: string, folders: string[], run: RunContext): Promise<SweepStore> {
  const { terminal, signal } = run;
  const archive = await SweepArchive.open(path);
  try {
    const content = await checkArchive(archive, {
      signal,
      onProgress: () => terminal.live([`checking ${basename(path)}`]),
    });
    const runsDir = makeTempFolder();
    folders.push(runsDir);
    const { experiment, rows } = content;
    const backbone = rows[0]?.trial.backbone ?? { name: "cliprpn-tiny", weights_id: "" };
    await importArchive(archive, content, {
      runsDir,
      name: experiment.name,
      from: basename(path),
      trust: false,
      places: placesHere(experiment.dataset, backbone, run),
      command: run.commandLine,
      signal,
      onWait: () => undefined, // Nobody else uses the folder.
      onWaitForImport: () => undefined,
      onProgress: (done, total) => terminal.live([`reading ${basename(path)}: ${done} of ${total} trials`]),
    });
    return new SweepStore(runsDir, experiment.name);
  } finally {
    terminal.liveDone();
    archive.close();
  }
}

async function comparisonOf(
  sweeps: readonly ComparedSweep[],
  split: Split,
  name: string | undefined,
  run: RunContext,
): Promise<Comparison> {
  checkComparable(sweeps, split, run);
  const dataset = await datasetOfSweep(sweeps, run);
  const models = withPrefixes(sweeps);
  const data = `${dataset.name}:${split}`;
  const comparisonName =
    name ??
    defaultName(
      sweeps.map((sweep) => sweep.name),
      [data],
    );
  if (!isSweepName(comparisonName))
    throw new CliprpnError(
      "bad_input",
      `--name: expected lower-case letters, digits and hyphens, found ${JSON.stringify(comparisonName)}`,
    );
  return {
    name: comparisonName,
    question: `Which configuration of the sweeps ${sweeps.map((sweep) => sweep.name).join(" and ")} is the most accurate on ${data}?`,
    origin: "cliprpn compare",
    data: [{ name: data, dataset, split, inPrimary: true, only: null }],
    models,
    baseline: null,
    smallestDifference: null,
    alpha: defaultAlpha,
    published: [],
  };
}

/** Two sweeps of the same name are told apart by what was typed. */
function withNames(sweeps: readonly ComparedSweep[]): ComparedSweep[] {
  return sweeps.map((sweep, index) => {
    const same = sweeps.filter(({ name }) => name === sweep.name);
    return same.length === 1 ? sweep : { ...sweep, name: `${sweep.name}-${index + 1}` };
  });
}

/** `A/film` and `B/film` where several sweeps have a configuration of this label. */
function withPrefixes(sweeps: readonly ComparedSweep[]): TrialsModel[] {
  const labels = sweeps.flatMap(({ models }) => models.map(({ label }) => label));
  return sweeps.flatMap(({ name, models }) =>
    models.map((model) => {
      const isShared = labels.filter((label) => label === model.label).length > 1;
      return isShared ? { ...model, label: `${name}/${model.label}` } : model;
    }),
  );
}
