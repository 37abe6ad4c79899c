import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, isAbsolute, join, relative } from "node:path";
import { hasCode } from "../../base/files.ts";
import { codeHashes } from "../../contract/code-identity.ts";
import type { ExportManifest, TrialIdentity, TrialRow } from "../../contract/generated/types.ts";
import { auditsOf } from "../audit-store.ts";
import { codeFile, codeName } from "../code-manifests.ts";
import { parseJson } from "../files.ts";
import type { SweepStore } from "../sweep-store.ts";
import { looksAt } from "../test-looks.ts";
import { TrialStore } from "../trial-store.ts";
import { findSource } from "./fusion-source.ts";
import { archivePath, looksName } from "./layout.ts";
import { withoutHost, withoutWorkers } from "./without-machine.ts";

/** A file for an archive: its path there, and its content or the file that has it. */
export interface FileToExport {
  path: string;
  source: Buffer | FileSource;
}

/** A file on the disk. */
export interface FileSource {
  file: string;
  /** What of it goes into the archive, if that is not all; for small files. */
  edit?: (content: Buffer) => Buffer;
}

/** The files of a sweep that go into an archive. */
export interface SweepFiles {
  files: FileToExport[];
  /** Numbers of trials that the sweep asks for, and of those that have a result. */
  numTrials: number;
  numFinished: number;
  numModels: number;
  /** Number of different fusions that are code of a person. */
  numFusions: number;
}

/**
 * What others need to read, report and continue a sweep: of each trial that it asks for, the attempt that a report shows. Nothing
 * names this machine, except paths that a person typed: no places.json, no log, no host. What changes while a sweep runs is read
 * here; other files never change.
 */
export function collectFiles(sweep: SweepStore, models: ExportManifest["models"]): SweepFiles {
  const ofSweep = sweepFiles(sweep);
  const sources = new Sources();
  const rows = (sweep.rows() ?? []).filter(({ asked }) => asked);
  const trials = rows.map((row) => trialFiles(sweep.runsDir, row, models, sources));
  const codes = new Set(trials.flatMap(({ code }) => code ?? []));
  const files = [
    ...ofSweep,
    ...codeFiles(sweep.runsDir, codes),
    ...trials.flatMap((trial) => trial.files),
    ...auditFiles(sweep.runsDir, new Set(rows.map(({ trial }) => trial.trial_id))),
  ];
  return {
    files,
    numTrials: rows.length,
    numFinished: trials.filter(({ code }) => code !== undefined).length,
    numModels: files.filter(({ path }) => path.endsWith(".safetensors")).length,
    numFusions: sources.number,
  };
}

/** The experiment, its trials and journal, the reports, and the looks at the test splits of its dataset. */
function sweepFiles(sweep: SweepStore): FileToExport[] {
  const place = `sweeps/${sweep.name}`;
  const files = namesIn(sweep.folder).flatMap((name) => {
    const path = `${place}/${name}`;
    const known = archivePath(path);
    if (known === undefined) return [];
    const content = readFileSync(join(sweep.folder, name));
    if (known.kind === "journal") return [{ path, source: withoutWorkers(content) }];
    return [
      { path, source: /^(report|summary)[^/]*\.json$/.test(name) ? withoutImageFolders(content) : content },
    ];
  });
  const dataset = sweep.experiment()?.dataset.id;
  const looks = dataset === undefined ? [] : looksAt(sweep.runsDir, dataset);
  if (looks.length === 0) return files;
  const text = looks.map((look) => `${JSON.stringify(look)}\n`).join("");
  return [...files, { path: looksName, source: Buffer.from(text) }];
}

function codeFiles(runsDir: string, codes: ReadonlySet<string>): FileToExport[] {
  return [...codes].flatMap((code) => existing(`code/${codeName(code)}.json`, codeFile(runsDir, code)));
}

function trialFiles(
  runsDir: string,
  { trial: identity }: TrialRow,
  models: ExportManifest["models"],
  sources: Sources,
): { files: FileToExport[]; code?: string } {
  const trial = new TrialStore(runsDir, identity.trial_id);
  const place = `trials/${trial.trial_id}`;
  const files = existing(`${place}/spec.json`, trial.specFile);
  if (files.length === 0) return { files };
  const accepted = trial.shown(codeHashes()[identity.kind]);
  const source = sources.of(identity, trial, accepted?.attempt);
  if (source !== undefined) files.push({ path: `${place}/fusion.py`, source });
  if (accepted === undefined) return { files };
  const { attempt, sources_sha256: code } = accepted;
  files.push(
    ...existing(`${place}/accepted/${codeName(code)}.json`, trial.acceptedFile(code)),
    ...attemptFiles(trial, attempt, models),
    ...answerFiles(trial, attempt),
  );
  return { files, code };
}

/** Audits of the trials. */
function auditFiles(runsDir: string, trial_ids: ReadonlySet<string>): FileToExport[] {
  return auditsOf(runsDir, trial_ids).flatMap(({ name, folder }) =>
    namesIn(folder).flatMap((file) => {
      const path = `audits/${name}/${file}`;
      const known = archivePath(path);
      if (known === undefined) return [];
      if (known.kind !== "audit") return existing(path, join(folder, file));
      return [{ path, source: withoutImageFolders(readFileSync(join(folder, file))) }];
    }),
  );
}

function attemptFiles(trial: TrialStore, attempt: number, models: ExportManifest["models"]): FileToExport[] {
  const { folder } = trial.attempt(attempt);
  const place = `trials/${trial.trial_id}/attempts/${attempt}`;
  const epochs = { none: [], best: ["best"], all: ["best", "last"] }[models];
  return [
    { path: `${place}/outcome.json`, source: { file: join(folder, "outcome.json"), edit: withoutHost } },
    ...["predictions-val.parquet", "metrics-val.json"].flatMap((name) =>
      existing(`${place}/${name}`, join(folder, name)),
    ),
    // Their names contain the host.
    ...namesIn(join(folder, "events")).map((name, index) => ({
      path: `${place}/events/events.out.tfevents.${index}`,
      source: { file: join(folder, "events", name) },
    })),
    ...epochs.flatMap((epoch) => {
      const weights = existing(`${place}/${epoch}.safetensors`, join(folder, `${epoch}.safetensors`));
      if (weights.length === 0) return [];
      return [
        {
          path: `${place}/${epoch}.json`,
          source: withoutFolders(readFileSync(join(folder, `${epoch}.json`))),
        },
        ...weights,
      ];
    }),
  ];
}

/** Answers on other splits and datasets. */
function answerFiles(trial: TrialStore, attempt: number): FileToExport[] {
  const folder = trial.laterAnswersFolder(attempt);
  return namesIn(folder).flatMap((name) => {
    const path = `trials/${trial.trial_id}/answers/${attempt}/${name}`;
    return archivePath(path) === undefined ? [] : existing(path, join(folder, name));
  });
}

/** Sources of fusions; trials share them. */
class Sources {
  readonly #known = new Map<string, Buffer>();

  get number(): number {
    return this.#known.size;
  }

  /** The source of a trial's fusion; undefined if it is one of cliprpn's, or its source is lost. */
  of(identity: TrialIdentity, trial: TrialStore, attempt: number | undefined): Buffer | undefined {
    if (identity.kind !== "cliprpn" || identity.settings.fusion.kind !== "file") return undefined;
    const { source_sha256 } = identity.settings.fusion;
    const known = this.#known.get(source_sha256) ?? findSource(trial, attempt, source_sha256);
    if (known !== undefined) this.#known.set(source_sha256, known);
    return known;
  }
}

/** JSON in which a file is named without its folder, which is one of this machine. */
function withoutFolders(content: Buffer): Buffer {
  return edited(content, (_key, item) => (isAbsolute(item) ? basename(item) : item));
}

/** A report in which images are named without their folder; its messages stay as they are, as in REPORT.md. */
function withoutImageFolders(content: Buffer): Buffer {
  return edited(content, (key, item) => (key === "image_file" ? basename(item) : item));
}

function edited(content: Buffer, edit: (key: string, item: string) => string): Buffer {
  const value = parseJson(content.toString("utf8"));
  const text = JSON.stringify(value, (key, item) => (typeof item === "string" ? edit(key, item) : item), 2);
  return Buffer.from(`${text}\n`);
}

function existing(path: string, file: string): FileToExport[] {
  return existsSync(file) ? [{ path, source: { file } }] : [];
}

/** Paths of the files in a folder, also in its folders, in order. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}
