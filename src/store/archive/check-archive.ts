import { codeHash } from "../../contract/code-identity.ts";
import type {
  CodeManifest,
  ExportedFile,
  StoredExperiment,
  TestLook,
  TrialRow,
} from "../../contract/generated/types.ts";
import { withIdentityDefaults } from "../../contract/trial-identity.ts";
import { isOfTrials } from "../audit-store.ts";
import { codeName } from "../code-manifests.ts";
import { parseJson } from "../files.ts";
import { type ArchivedTrial, checkId, checkTrial, type NamedFile, type TrialPart } from "./check-trial.ts";
import { type ArchivePath, archivePath } from "./layout.ts";
import { checkContent, checkValue, invalid, type SweepArchive } from "./open-archive.ts";

/** The checked content of an archive. Large files are not in memory. */
export interface ArchiveContent {
  experiment: StoredExperiment;
  rows: TrialRow[];
  /** All files of the sweep's folder. */
  sweepFiles: NamedFile[];
  /** Trials with a spec; others of the sweep have not started. */
  trials: ArchivedTrial[];
  codes: { sources_sha256: string; manifest: CodeManifest }[];
  /** The files of each audit of its trials, by name. */
  audits: ReadonlyMap<string, NamedFile[]>;
  looks: TestLook[];
}

export interface CheckOptions {
  signal: AbortSignal;
  onProgress: (done_bytes: number, all_bytes: number) => void;
}

/**
 * Reads the whole archive and checks that it is what an export of one sweep writes: the content of every file, trials whose ids
 * follow from their specs, outcomes and models that belong to their trials.
 *
 * @throws CliprpnError data_invalid; bad_input if a newer version of cliprpn wrote it.
 */
export async function checkArchive(archive: SweepArchive, options: CheckOptions): Promise<ArchiveContent> {
  const { file: name, manifest } = archive;
  const parts = await readParts(archive, options);
  const experiment = checkExperiment(parts, manifest.sweep, name);
  const rows = checkRows(parts, experiment, name);
  return {
    experiment,
    rows,
    sweepFiles: parts.flatMap(({ known, file }) => ("sweep" in known ? [{ name: known.name, file }] : [])),
    trials: checkTrials(parts, rows, name),
    codes: parts.flatMap((part) =>
      part.known.kind === "code" ? [checkCode(part, part.known.code, name)] : [],
    ),
    audits: checkAudits(parts, rows, name),
    looks: parts.flatMap(({ known, file, text }) =>
      known.kind === "looks"
        ? linesOf(text, file, name).map((line) => checkValue("TestLook", line, file.path, name))
        : [],
    ),
  };
}

interface Part {
  known: ArchivePath;
  file: ExportedFile;
  /** Empty for files that are for people, or for Python, which checks them when it reads them. */
  text: string;
}

/** Reads every file, and keeps the text of those that are JSON. */
async function readParts(archive: SweepArchive, { signal, onProgress }: CheckOptions): Promise<Part[]> {
  const { files } = archive.manifest;
  const all_bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const parts: Part[] = [];
  for (const file of files) {
    const known = archivePath(file.path);
    if (known === undefined) continue; // Refused when the archive was opened.
    const isText = !["report", "fusion", "attempt", "weights", "answers", "audit_report"].includes(
      known.kind,
    );
    const chunks: Buffer[] = [];
    for await (const chunk of archive.stream(file)) {
      signal.throwIfAborted();
      if (isText) chunks.push(chunk);
      done += chunk.length;
      onProgress(done, all_bytes);
    }
    parts.push({ known, file, text: Buffer.concat(chunks).toString("utf8") });
  }
  return parts;
}

function checkExperiment(parts: readonly Part[], sweep: string, archive: string): StoredExperiment {
  const other = parts.find(({ known }) => "sweep" in known && known.sweep !== sweep);
  if (other !== undefined)
    throw invalid(archive, `expected the files of the sweep ${sweep}, found ${other.file.path}`);
  const { text, file } = needed(parts, "experiment", archive);
  const experiment = checkContent("StoredExperiment", text, file.path, archive);
  const { name, dataset } = experiment;
  if (name !== sweep) throw invalid(archive, `${file.path}: expected the sweep ${sweep}, found ${name}`);
  // It is the name of a folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$/.test(dataset.name))
    throw invalid(
      archive,
      `${file.path}: expected the name of a dataset, found ${JSON.stringify(dataset.name)}`,
    );
  return experiment;
}

function checkRows(parts: readonly Part[], { dataset }: StoredExperiment, archive: string): TrialRow[] {
  const { text, file } = needed(parts, "trials", archive);
  return linesOf(text, file, archive).map((line) => {
    const trial = typeof line === "object" && line !== null ? Reflect.get(line, "trial") : undefined;
    const filled = { ...Object(line), trial: withIdentityDefaults(trial) };
    const row = checkValue("TrialRow", filled, file.path, archive);
    checkId(row.trial, file.path, archive);
    if (row.trial.dataset.id !== dataset.id)
      throw invalid(archive, `${file.path}: expected trials on ${dataset.id}, found ${row.trial.dataset.id}`);
    return row;
  });
}

function checkTrials(parts: readonly Part[], rows: readonly TrialRow[], archive: string): ArchivedTrial[] {
  const asked = new Set(rows.filter((row) => row.asked).map(({ trial }) => trial.trial_id));
  const byTrial = new Map<string, TrialPart[]>();
  for (const { known, file, text } of parts) {
    if (!("trial_id" in known)) continue;
    const { trial_id } = known;
    if (!asked.has(trial_id)) throw invalid(archive, `expected the trials of its sweep, found ${file.path}`);
    byTrial.set(trial_id, byTrial.get(trial_id) ?? []);
    byTrial.get(trial_id)?.push({ known, file, text });
  }
  return [...byTrial].map(([trial_id, files]) => checkTrial(trial_id, files, archive));
}

function checkAudits(
  parts: readonly Part[],
  rows: readonly TrialRow[],
  archive: string,
): Map<string, NamedFile[]> {
  const audits = new Map<string, NamedFile[]>();
  const asked = new Set(rows.filter((row) => row.asked).map(({ trial }) => trial.trial_id));
  for (const { known, file, text } of parts) {
    if (known.kind !== "audit") continue;
    const audit = checkContent("StoredAudit", text, file.path, archive);
    if (audit.name !== known.audit || !isOfTrials(audit, asked))
      throw invalid(archive, `${file.path}: expected the audit ${known.audit} of trials of its sweep`);
    audits.set(known.audit, [{ name: known.name, file }]);
  }
  for (const { known, file } of parts) {
    if (known.kind !== "audit_report") continue;
    const files = audits.get(known.audit);
    if (files === undefined) throw invalid(archive, `expected the audit of ${file.path}, found none`);
    files.push({ name: known.name, file });
  }
  return audits;
}

function checkCode({ file, text }: Part, code: string, archive: string): ArchiveContent["codes"][number] {
  const manifest = checkContent("CodeManifest", text, file.path, archive);
  const sources_sha256 = codeHash(manifest);
  if (codeName(sources_sha256) === code) return { sources_sha256, manifest };
  throw invalid(archive, `${file.path}: expected the code with this hash, found that of ${sources_sha256}`);
}

function needed(parts: readonly Part[], kind: "experiment" | "trials", archive: string): Part {
  const part = parts.find(({ known }) => known.kind === kind);
  if (part !== undefined) return part;
  throw invalid(archive, `expected the ${kind} of its sweep, found none`);
}

function linesOf(text: string, { path }: ExportedFile, archive: string): unknown[] {
  return text.split("\n").flatMap((line, index) => {
    if (line === "") return [];
    const value = parseJson(line);
    if (value === undefined) throw invalid(archive, `${path}:${index + 1}: expected JSON, found other text`);
    return [value];
  });
}
