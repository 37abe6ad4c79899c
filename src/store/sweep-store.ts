import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type AcquireOptions, acquireOwnerLock, type OwnerLock, readOwner } from "../base/owner-lock.ts";
import { replaceFile } from "../base/replace-file.ts";
import { codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  StoredExperiment,
  SweepStatus,
  TrialPlaces,
  TrialRow,
  TrialSpec,
} from "../contract/generated/types.ts";
import { trialIdentityOf } from "../contract/trial-identity.ts";
import { composeSpec, detectorFiles, placesOf } from "./compose-spec.ts";
import { readStored, readText, schemaVersion, toJson } from "./files.ts";
import { keepDamaged, keepVersion } from "./kept-copies.ts";
import { Preparations } from "./preparations.ts";
import { ReportFolder } from "./report-folder.ts";
import { SweepJournal } from "./sweep-journal.ts";
import {
  findRow,
  type ListedTrial,
  readListed,
  readRows,
  readUndamagedRows,
  writeRows,
} from "./trial-rows.ts";
import { TrialStore } from "./trial-store.ts";

/** A trial of a sweep: its full spec, and what the sweep knows about it. */
export interface SweepTrial {
  spec: TrialSpec;
  /** False if only an earlier version of the experiment asked for it. */
  asked: boolean;
  /** The attempt that counted when a run of the sweep last ended; null before that. */
  attempt: number | null;
}

/** What a sweep was asked for, as it lies on the disk. */
export interface SweepContent {
  experiment: StoredExperiment;
  trials: SweepTrial[];
  places: TrialPlaces;
}

/** The folder of a sweep, `sweeps/<name>`. Owns all file names in it. */
export class SweepStore extends ReportFolder {
  readonly runsDir: string;

  constructor(runsDir: string, name: string) {
    super(sweepsFolder(runsDir), name, "experiment.json");
    this.runsDir = runsDir;
  }

  /** @throws CliprpnError not_found; bad_input if a file is damaged or of a newer version. */
  read(): SweepContent {
    const experiment = this.experiment();
    if (experiment === undefined)
      throw new CliprpnError("not_found", `${this.folder}: expected the folder of a sweep, found none`);
    // Both were written before experiment.json.
    const places = this.places() ?? missing(this.#placesFile);
    const rows = this.rows() ?? [];
    const trials = rows.map((row) => ({
      spec: this.#compose(row, places),
      asked: row.asked,
      attempt: row.attempt,
    }));
    return { experiment, trials, places };
  }

  /** The full spec of one trial; undefined if the sweep does not list it. @throws CliprpnError bad_input. */
  specOf(trial_id: string): TrialSpec | undefined {
    const row = this.rowOf(trial_id);
    return row === undefined ? undefined : this.#compose(row, this.places() ?? missing(this.#placesFile));
  }

  /** What the sweep knows about one trial. @throws CliprpnError bad_input. */
  rowOf(trial_id: string): TrialRow | undefined {
    return findRow(this.#trialsFile, trial_id);
  }

  /** The trials without their places; undefined before the sweep is first written. @throws CliprpnError bad_input. */
  rows(): TrialRow[] | undefined {
    return this.#orMissing(readRows(this.#trialsFile));
  }

  /** The trials without their settings; undefined before the sweep is first written. @throws CliprpnError bad_input. */
  listed(): ListedTrial[] | undefined {
    return this.#orMissing(readListed(this.#trialsFile));
  }

  /** A sweep has a trial: without its rows, nobody knows what it asks for. @throws CliprpnError bad_input. */
  #orMissing<Row>(rows: Row[] | undefined): Row[] | undefined {
    return rows?.length === 0 || (rows === undefined && this.exists) ? missing(this.#trialsFile) : rows;
  }

  places(): TrialPlaces | undefined {
    return readStored("TrialPlaces", this.#placesFile);
  }

  experiment(): StoredExperiment | undefined {
    return readStored("StoredExperiment", this.file);
  }

  /**
   * Records what the sweep is asked for now. Trials that only an earlier version asked for stay listed; an earlier experiment
   * stays as `experiment-<n>.json`.
   *
   * @returns what was wrong with the list of trials, and where a copy of it is; undefined if it was whole.
   */
  write(experiment: StoredExperiment, specs: readonly TrialSpec[]): string | undefined {
    // Places and trials that are gone are written again.
    const { rows: earlier, damage } = readUndamagedRows(this.#trialsFile);
    const kept = damage === undefined ? undefined : keepDamaged(this.#trialsFile);
    const attempts = new Map(earlier.map(({ trial, attempt }) => [trial.trial_id, attempt]));
    const asked = new Set(specs.map(({ trial_id }) => trial_id));
    writeRows(this.#trialsFile, [
      ...specs.map((spec) => rowOf({ spec, asked: true, attempt: attempts.get(spec.trial_id) ?? null })),
      ...earlier.filter(({ trial }) => !asked.has(trial.trial_id)).map((row) => ({ ...row, asked: false })),
    ]);
    const [first] = specs;
    const places = readStored("TrialPlaces", this.#placesFile);
    if (first !== undefined) replaceFile(this.#placesFile, toJson(placesOf(first, specs, places)));
    const text = toJson(experiment);
    const before = readText(this.file);
    if (before !== text) {
      if (before !== undefined) keepVersion(this.file, before);
      replaceFile(this.file, text);
    }
    return damage === undefined ? undefined : `${damage}. The file was damaged; a copy is ${kept}`;
  }

  /** Lists trials that only an earlier version of the experiment asked for, unless they are listed already. */
  addEarlier(specs: readonly TrialSpec[]): void {
    const { trials, places } = this.read();
    const listed = new Set(trials.map(({ spec }) => spec.trial_id));
    const added = specs.filter(({ trial_id }) => !listed.has(trial_id));
    replaceFile(
      this.#placesFile,
      toJson({ ...places, detector_files: { ...detectorFiles(specs), ...places.detector_files } }),
    );
    this.writeTrials([...trials, ...added.map((spec) => ({ spec, asked: false, attempt: null }))]);
  }

  writeTrials(trials: readonly SweepTrial[]): void {
    writeRows(this.#trialsFile, trials.map(rowOf));
  }

  /**
   * Takes the sweep's lock, so that one process at a time works on it.
   *
   * @throws an error that `isHeldBy` recognizes, after `maxWaitMs`; the signal's reason.
   */
  async lock(options: AcquireOptions): Promise<OwnerLock> {
    mkdirSync(this.folder, { recursive: true });
    return acquireOwnerLock(this.lockFolder, options);
  }

  /** Where workers on other machines get trials. */
  get queueFolder(): string {
    return join(this.folder, "queue");
  }

  get lockFolder(): string {
    return join(this.folder, "lock");
  }

  /** What the process that has the lock is doing; undefined if no process runs trials of the sweep. */
  status(): SweepStatus | undefined {
    return readOwner(this.lockFolder) === undefined ? undefined : readStored("SweepStatus", this.statusFile);
  }

  get statusFile(): string {
    return join(this.folder, "status.json");
  }

  /** Its attempts to make what trials share. */
  get preparations(): Preparations {
    return new Preparations(join(this.folder, "prepare"));
  }

  get journal(): SweepJournal {
    return new SweepJournal(join(this.folder, "journal.jsonl"));
  }

  /** When its experiment or its journal was last changed, in ms since 1970; before both exist, when it was created. */
  override get changedAt(): number {
    const files = [this.file, this.journal.file];
    const times = files.flatMap((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? []);
    return times.length > 0
      ? Math.max(...times)
      : (statSync(this.folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }

  /** The report on a split: its path, existing or not. */
  reportFile(split: string): string {
    return join(this.folder, split === "val" ? "REPORT.md" : `REPORT-${split}.md`);
  }

  /** The report as one HTML page. */
  pageFile(split: string): string {
    return join(this.folder, split === "val" ? "REPORT.html" : `REPORT-${split}.html`);
  }

  get #trialsFile(): string {
    return join(this.folder, "trials.jsonl");
  }

  get #placesFile(): string {
    return join(this.folder, "places.json");
  }

  #compose({ trial, ...names }: TrialRow, places: TrialPlaces): TrialSpec {
    return composeSpec(trial, names, places, {
      sources_sha256: codeHashes()[trial.kind],
      fusion_source: new TrialStore(this.runsDir, trial.trial_id).fusionFile,
    });
  }
}

export function sweepsFolder(runsDir: string): string {
  return join(runsDir, "sweeps");
}

function rowOf({ spec, asked, attempt }: SweepTrial): TrialRow {
  return {
    schema_version: schemaVersion,
    label: spec.label,
    preset: spec.kind === "cliprpn" ? spec.preset : null,
    seed: spec.seed,
    asked,
    attempt,
    trial: trialIdentityOf(spec),
  };
}

function missing(file: string): never {
  throw new CliprpnError(
    "bad_input",
    `${file}: expected a file of this sweep, found none, or an empty one; restore it from a backup, or run the sweep again, which writes it`,
  );
}
