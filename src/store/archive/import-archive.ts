import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkDiskSpace } from "../../base/disk-space.ts";
import { type AcquireOptions, acquireOwnerLock } from "../../base/owner-lock.ts";
import type { TrialPlaces } from "../../contract/generated/types.ts";
import { recordCode } from "../code-manifests.ts";
import { parseJson } from "../files.ts";
import { addLooks } from "../test-looks.ts";
import type { ArchiveContent } from "./check-archive.ts";
import { addAudits } from "./import-audits.ts";
import { addSweep, findSweepOf } from "./import-sweep.ts";
import { type ImportedTrial, type ImportTarget, importTrial } from "./import-trial.ts";
import type { SweepArchive } from "./open-archive.ts";

export interface ImportOptions extends Omit<ImportTarget, "staging"> {
  /** Name of the sweep here. */
  name: string;
  /** Where the trials' data and weights lie on this machine. */
  places: TrialPlaces;
  /** Called when another process is importing into this runs folder. */
  onWaitForImport: AcquireOptions["onWait"];
  onProgress: (done: number, total: number) => void;
}

/** What an import did. */
export interface Imported {
  /** The sweep's folder. */
  folder: string;
  /** False if the sweep was here already. */
  isNewSweep: boolean;
  trials: ImportedTrial[];
}

/**
 * Adds the content of a checked archive to a runs folder. Nothing that exists is replaced, and what is here already is not added
 * again. The sweep comes last, so that its trials are complete when it appears. Killed at any time, the next call finishes.
 *
 * @throws CliprpnError bad_input if another sweep has the name; no_space; the signal's reason.
 */
export async function importArchive(
  archive: SweepArchive,
  content: ArchiveContent,
  { onWaitForImport, onProgress, ...options }: ImportOptions,
): Promise<Imported> {
  const { runsDir, signal, command } = options;
  findSweepOf(content, options);
  const needed_bytes = archive.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  await checkDiskSpace({
    folder: runsDir,
    needed_bytes,
    what: "the archive's files",
    advice: "use another --runs-dir",
  });
  const lock = await acquireOwnerLock(join(runsDir, "import-lock"), {
    command: command ?? "cliprpn import",
    signal,
    onWait: onWaitForImport,
    onLost: () => undefined, // The new owner removes this import's staging folder, and this one fails.
  });
  try {
    return await importLocked(archive, content, options, onProgress);
  } finally {
    await lock.release();
  }
}

async function importLocked(
  archive: SweepArchive,
  content: ArchiveContent,
  options: Omit<ImportOptions, "onWaitForImport" | "onProgress">,
  onProgress: ImportOptions["onProgress"],
): Promise<Imported> {
  const { runsDir } = options;
  removeStagings(runsDir); // Left by an import that was killed.
  const staging = join(runsDir, `${stagingPrefix}${randomBytes(4).toString("hex")}`);
  mkdirSync(staging);
  try {
    for (const { sources_sha256, manifest } of content.codes) recordCode(runsDir, sources_sha256, manifest);
    addLooks(runsDir, content.looks);
    const target = { ...options, staging };
    const trials = await importTrials(archive, content, target, onProgress);
    await addAudits(archive, content.audits, target);
    const existing = findSweepOf(content, options);
    const sweep = existing ?? (await addSweep(archive, content, trials, target));
    return { folder: sweep.folder, isNewSweep: existing === undefined, trials };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

const stagingPrefix = ".importing-";

function removeStagings(runsDir: string): void {
  for (const name of readdirSync(runsDir))
    if (name.startsWith(stagingPrefix)) rmSync(join(runsDir, name), { recursive: true, force: true });
}

async function importTrials(
  archive: SweepArchive,
  { trials, sweepFiles }: ArchiveContent,
  target: ImportTarget,
  onProgress: ImportOptions["onProgress"],
): Promise<ImportedTrial[]> {
  const journal = sweepFiles.find(({ name }) => name === "journal.jsonl");
  const text = journal === undefined ? "" : (await archive.read(journal.file)).toString("utf8");
  const known = attemptsIn(text);
  const imported: ImportedTrial[] = [];
  for (const trial of trials) {
    target.signal?.throwIfAborted();
    const numbers = known.get(trial.identity.trial_id) ?? new Set();
    const others = [...numbers].filter((number) => number !== trial.finished?.accepted.attempt);
    imported.push(await importTrial(archive, trial, others, target));
    onProgress(imported.length, trials.length);
  }
  return imported;
}

/** Numbers of the attempts that a journal names, by trial. No real journal has as many as a wrong one might. */
function attemptsIn(journal: string): Map<string, Set<number>> {
  const attempts = new Map<string, Set<number>>();
  for (const line of journal.split("\n")) {
    const entry = parseJson(line);
    if (typeof entry !== "object" || entry === null || !("trial_id" in entry) || !("attempt" in entry))
      continue;
    const { trial_id, attempt } = entry;
    if (typeof trial_id !== "string" || typeof attempt !== "number" || !/^[1-9]\d{0,5}$/.test(`${attempt}`))
      continue;
    const numbers = attempts.get(trial_id) ?? new Set();
    attempts.set(trial_id, numbers.size < 1000 ? numbers.add(attempt) : numbers);
  }
  return attempts;
}
