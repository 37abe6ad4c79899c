import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../../base/files.ts";
import { counted } from "../../base/format.ts";
import { createFile, moveDurably } from "../../base/replace-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { TrialPlaces, TrialRow } from "../../contract/generated/types.ts";
import { parseJson, toJson } from "../files.ts";
import { SweepStore, sweepsFolder } from "../sweep-store.ts";
import type { ArchiveContent } from "./check-archive.ts";
import { extract, type ImportedTrial, type ImportTarget } from "./import-trial.ts";
import type { SweepArchive } from "./open-archive.ts";

/**
 * The sweep here that has all trials of the archive's: it stays as it is, and shows the imported results too. So does one that was
 * imported from an earlier archive, or that ran the same experiment.
 *
 * @param name of the sweep here.
 * @returns undefined if there is no sweep of this name.
 * @throws CliprpnError bad_input if there is one with other trials.
 */
export function findSweepOf(
  { rows }: Pick<ArchiveContent, "rows">,
  { runsDir, name }: { runsDir: string; name: string },
): SweepStore | undefined {
  const sweep = new SweepStore(runsDir, name);
  if (!existsSync(sweep.folder)) return undefined;
  const listed = new Set((sweep.exists ? (sweep.rows() ?? []) : []).map(({ trial }) => trial.trial_id));
  const asked = rows.filter((row) => row.asked).map(({ trial }) => trial.trial_id);
  const missing = asked.filter((trial_id) => !listed.has(trial_id));
  if (sweep.exists && missing.length === 0) return sweep;
  throw new CliprpnError(
    "bad_input",
    `${sweep.folder}: expected no sweep of this name, or one with the archive's trials, found one that lacks ${counted(missing.length, "trial")}; add --name NEW to import it under another name (both then share the results of the same trials)`,
  );
}

/**
 * Adds the sweep in one step. Its journal and trials name the attempts by their numbers here; its reports say where they came from.
 *
 * @throws CliprpnError bad_input if a sweep of this name was started meanwhile.
 */
export async function addSweep(
  archive: SweepArchive,
  { experiment, rows, sweepFiles }: ArchiveContent,
  trials: readonly ImportedTrial[],
  { name, places, ...target }: ImportTarget & { name: string; places: TrialPlaces },
): Promise<SweepStore> {
  const sweep = new SweepStore(target.runsDir, name);
  const staged = join(target.staging, "sweep");
  mkdirSync(staged, { recursive: true });
  const attempts = new Map(trials.map((trial) => [trial.trial_id, trial]));
  for (const { name: fileName, file } of sweepFiles) {
    const to = join(staged, fileName);
    if (fileName === "experiment.json") createFile(to, toJson({ ...experiment, name }));
    else if (fileName === "trials.jsonl")
      createFile(to, rows.map((row) => `${JSON.stringify(rowHere(row, attempts))}\n`).join(""));
    else if (fileName === "journal.jsonl")
      createFile(to, journalHere((await archive.read(file)).toString("utf8"), attempts));
    else if (fileName.endsWith(".md"))
      createFile(to, marked((await archive.read(file)).toString("utf8"), archive, target.from));
    else await extract(archive, file, to);
  }
  createFile(join(staged, "places.json"), toJson(places));
  mkdirSync(sweepsFolder(target.runsDir), { recursive: true });
  try {
    moveDurably(staged, sweep.folder);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
    throw new CliprpnError(
      "bad_input",
      `${sweep.folder}: expected no sweep of this name, found one that was started meanwhile; its trials were imported. Re-run the command with --name NEW`,
      { cause: error },
    );
  }
  return sweep;
}

type TrialsHere = ReadonlyMap<string, ImportedTrial>;

/** A row whose attempt, if it was imported, has its number here. */
function rowHere(row: TrialRow, trials: TrialsHere): TrialRow {
  const here = trials.get(row.trial.trial_id);
  const isArchived = row.attempt !== null && row.attempt === here?.archivedAttempt;
  return { ...row, attempt: isArchived ? (here?.attempt ?? null) : null };
}

/**
 * The journal with the numbers that attempts have here. Lines about attempts that are not in the archive stay, unless the trial has
 * attempts of this machine too, which may have their numbers.
 */
function journalHere(text: string, trials: TrialsHere): string {
  return text
    .split("\n")
    .flatMap((line) => {
      const entry = parseJson(line);
      if (entry === undefined) return [];
      if (typeof entry !== "object" || entry === null || !("trial_id" in entry) || !("attempt" in entry))
        return [line];
      const here = trials.get(String(entry.trial_id));
      if (here !== undefined && entry.attempt === here.archivedAttempt)
        return [JSON.stringify({ ...entry, attempt: here.attempt })];
      return here === undefined || here.isAlone ? [line] : [];
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** A report says first that it was not made here; a new one marks each imported result. */
export function marked(
  report: string,
  { manifest }: SweepArchive,
  from: string,
  advice = "`cliprpn report` writes the report again from the imported results.",
): string {
  const { cliprpn_version, exported_at } = manifest;
  return `> Imported from ${from} (cliprpn ${cliprpn_version}, exported ${exported_at.slice(0, 10)}). ${advice}\n\n${report}`;
}
