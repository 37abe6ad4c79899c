import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { acquireLock, isHeld } from "../base/lock.ts";
import { replaceFile } from "../base/replace-file.ts";
import { check } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { JournalEntry, StoredPlan, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import { Journal, readJournal } from "./journal.ts";

/** The folder of a sweep; owns all file names in it. */
export class SweepStore {
  readonly folder: string;
  readonly plan: StoredPlan;

  private constructor(folder: string, plan: StoredPlan) {
    this.folder = folder;
    this.plan = plan;
  }

  /** The folder of a plan, `<runs>/<name>-<hash>`; created if needed. */
  static create(runsDir: string, plan: StoredPlan): SweepStore {
    const folder = join(runsDir, `${plan.name}-${plan.hash}`);
    for (const spec of plan.trials) {
      const trialDir = join(folder, spec.trial_id);
      mkdirSync(trialDir, { recursive: true });
      const file = join(trialDir, "spec.json");
      // A finished trial keeps the spec that it ran with.
      if (!existsSync(join(trialDir, "outcome.json"))) writeJson(file, spec);
    }
    writeJson(join(folder, "plan.json"), plan);
    return new SweepStore(folder, plan);
  }

  /** @throws CliprpnError not_found; bad_input if it was made by another version of cliprpn. */
  static open(folder: string): SweepStore {
    const file = join(folder, "plan.json");
    if (!existsSync(file))
      throw new CliprpnError(
        "not_found",
        `${folder}: expected the folder of a sweep, found no plan.json in it`,
      );
    return new SweepStore(folder, readPlan(file));
  }

  trialDir(trial_id: string): string {
    return join(this.folder, trial_id);
  }

  logFile(trial_id: string): string {
    return join(this.trialDir(trial_id), "worker.log");
  }

  /**
   * Outcome of a trial, read from its file; undefined until the trial has finished.
   *
   * @throws CliprpnError contract_violation if it was written by another version of cliprpn.
   */
  outcome(trial_id: string): TrialOutcome | undefined {
    const file = join(this.trialDir(trial_id), "outcome.json");
    if (!existsSync(file)) return undefined;
    return check("TrialOutcome", parseJson(readFileSync(file, "utf8")), file);
  }

  /** True if predictions on the split exist; those of a replaced model do not count. */
  hasPredictions({ trial_id, kind }: Pick<TrialSpec, "trial_id" | "kind">, split: string): boolean {
    // A baseline has no model: a new run deletes its predictions first.
    const source = kind === "baseline" ? "spec.json" : "best.safetensors";
    const [model, predictions] = [source, `predictions-${split}.parquet`].map((name) =>
      statSync(join(this.trialDir(trial_id), name), { throwIfNoEntry: false }),
    );
    return model !== undefined && predictions !== undefined && predictions.mtimeMs >= model.mtimeMs;
  }

  /** Writes the outcome of a trial whose worker died before writing it. */
  writeOutcome(outcome: TrialOutcome): void {
    writeJson(join(this.trialDir(outcome.trial_id), "outcome.json"), outcome);
  }

  /** Writes the traceback of a trial that failed outside its own error handling. @returns the name of the file. */
  writeTraceback(trial_id: string, traceback: string): string {
    replaceFile(join(this.trialDir(trial_id), "traceback.txt"), traceback);
    return "traceback.txt";
  }

  /** Renames the outcome of a finished trial, so that it runs again with the current spec. */
  setAside(spec: TrialSpec, why: string): void {
    const folder = this.trialDir(spec.trial_id);
    renameSync(join(folder, "outcome.json"), join(folder, `outcome-${why}.json`));
    writeJson(join(folder, "spec.json"), spec);
  }

  /**
   * Takes the sweep's lock, so that one process at a time works on it. The lock of a process that died is taken over 10 s
   * after its death.
   *
   * @param events.onWait called when another process holds the lock, or did a moment ago.
   * @param events.onLost called when another process took the lock over, as happens after this process was suspended.
   * @throws CliprpnError locked.
   */
  async lock({ onWait, onLost }: { onWait: () => void; onLost: () => void }): Promise<{
    journal: Journal;
    release: () => Promise<void>;
  }> {
    const unlock = await acquireLock(join(this.folder, "lock"), {
      onWait,
      onLost,
      maxWaitMs: maxLockWaitMs,
    }).catch((error) => {
      throw isHeld(error) ? locked(this.folder, error) : error;
    });
    const journal = new Journal(this.journalFile);
    return {
      journal,
      release: async () => {
        journal.close();
        await unlock().catch(() => undefined); // Lost before.
      },
    };
  }

  entries(): JournalEntry[] {
    return readJournal(this.journalFile);
  }

  get journalFile(): string {
    return join(this.folder, "journal.jsonl");
  }
}

/**
 * The folder of a trial, by path or by the start of its id below the runs folder. If `train` and `sweep` both ran the trial,
 * the folder that finished last.
 *
 * @throws CliprpnError not_found.
 */
export function findTrial(name: string, runsDir: string, cwd: string): string {
  const path = resolve(cwd, name);
  if (existsSync(path)) return path;
  const folders = sweepFolders(runsDir).flatMap((sweep) =>
    readdirSync(sweep)
      .filter((entry) => name.length >= 4 && entry.startsWith(name) && isTrialId(entry))
      .map((entry) => join(sweep, entry)),
  );
  const [newest] = folders.toSorted((a, b) => finishedAt(b) - finishedAt(a));
  if (newest !== undefined && new Set(folders.map((folder) => basename(folder))).size === 1) return newest;
  const matches = folders.length === 0 ? "none" : `${folders.length}: ${folders.join(", ")}`;
  throw new CliprpnError(
    "not_found",
    `${name}: expected a trial folder, a model file or the unique prefix of a trial id in ${runsDir}, found ${matches}`,
  );
}

/** Time of the trial's outcome in ms; 0 without one. */
function finishedAt(folder: string): number {
  return statSync(join(folder, "outcome.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The sweep of a trial folder, or of a file in one. */
export function sweepOf(path: string): SweepStore | undefined {
  const folder = [dirname(path), dirname(dirname(path))].find((above) =>
    existsSync(join(above, "plan.json")),
  );
  return folder === undefined ? undefined : SweepStore.open(folder);
}

/**
 * Folder for a model's predictions: the trial folder on its own dataset, a separate one for a model file or another dataset, so
 * that nothing of the trial is overwritten.
 */
export function evaluationFolder(model: string, otherDatasetId: string | undefined): string {
  const isTrial = statSync(model).isDirectory();
  if (isTrial && otherDatasetId === undefined) return model;
  const folder = isTrial ? model : dirname(model);
  const name = isTrial ? "best" : basename(model, extname(model));
  return join(folder, `evaluated-${name}${otherDatasetId === undefined ? "" : `-on-${otherDatasetId}`}`);
}

/** Folders of all sweeps, newest first. */
export function sweepFolders(runsDir: string): string[] {
  if (!existsSync(runsDir)) return [];
  const folders = readdirSync(runsDir)
    .map((name) => join(runsDir, name))
    .filter((folder) => existsSync(join(folder, "plan.json")));
  return folders.sort(
    (a, b) => statSync(join(b, "plan.json")).mtimeMs - statSync(join(a, "plan.json")).mtimeMs,
  );
}

function readPlan(file: string): StoredPlan {
  try {
    return check("StoredPlan", parseJson(readFileSync(file, "utf8")), file);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new CliprpnError(
      "bad_input",
      `${what}. The sweep was made by another version of cliprpn, or the file is damaged: use that version, or run the sweep with another --runs-dir`,
      { cause: error },
    );
  }
}

function isTrialId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longer than it takes until the lock of a process that died can be taken over. */
const maxLockWaitMs = 12_000;

function locked(folder: string, cause: unknown): CliprpnError {
  const message = `${folder}: another cliprpn process is running this sweep; wait for it, or use another --runs-dir`;
  return new CliprpnError("locked", message, { cause });
}

function writeJson(file: string, value: unknown): void {
  replaceFile(file, `${JSON.stringify(value, null, 2)}\n`);
}
