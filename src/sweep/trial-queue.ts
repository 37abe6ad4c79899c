import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { acquireOwnerLock, type LockOwner, OwnerLock, tryOwnerLock } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  ErrorCode,
  FileFusion,
  KeepModels,
  TrialOutcome,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { Attempt, AttemptSource } from "../engine/engine.ts";
import { TrialStore } from "../store/trial-store.ts";

export interface TrialQueueOptions {
  runsDir: string;
  keep_models: KeepModels;
  /** The command as typed, for other processes that wait for a trial. */
  command: string;
  /** Called when a trial runs in another process, whose end is waited for. */
  onWait: (spec: TrialSpec, owner: LockOwner) => void;
  /** Called when a trial need not run: another process has completed it. */
  onFound: (spec: TrialSpec, attempt: number) => void;
  /** Called when a trial gets a second try. */
  onRetry: (spec: TrialSpec) => void;
}

/**
 * The trials of a sweep that have to run, in order. A trial is claimed before its attempt begins, so that it runs once even if
 * several sweeps ask for it; those that another process runs come last.
 *
 * A trial whose worker the system killed, for lack of memory as a rule, gets a second try when no other trial runs. Any other
 * failure would come again.
 */
export class TrialQueue implements AttemptSource {
  readonly #options: TrialQueueOptions;
  readonly #waiting: TrialSpec[];
  readonly #claimedElsewhere: TrialSpec[] = [];
  /** Trials for a second try. */
  readonly #again: TrialSpec[] = [];
  readonly #killed = new Set<string>();
  #numRunning = 0;
  readonly #claims = new Map<string, OwnerLock>();
  /** Sources of the fusions, by their hash: a person may edit the files while the sweep runs. */
  readonly #sources = new Map<string, Buffer>();
  #next = 0;

  /** @throws CliprpnError fusion_invalid if the file of a fusion has changed since the sweep was planned. */
  constructor(waiting: readonly TrialSpec[], options: TrialQueueOptions) {
    this.#waiting = [...waiting];
    this.#options = options;
    for (const { source_sha256, file } of waiting.flatMap(fileFusion))
      if (!this.#sources.has(source_sha256))
        this.#sources.set(source_sha256, readFusion({ source_sha256, file }));
  }

  /** Second tries count when no trial runs: the last slot takes them. */
  get numWaiting(): number {
    const numAgain = this.#numRunning === 0 ? this.#again.length : 0;
    return this.#waiting.length - this.#next + this.#claimedElsewhere.length + numAgain;
  }

  async next(signal: AbortSignal): Promise<Attempt | undefined> {
    const attempt = await this.#nextAttempt(signal);
    if (attempt !== undefined) this.#numRunning += 1;
    return attempt;
  }

  async #nextAttempt(signal: AbortSignal): Promise<Attempt | undefined> {
    const { onWait } = this.#options;
    if (this.#next >= this.#waiting.length && this.#numRunning === 0)
      this.#waiting.push(...this.#again.splice(0, 1));
    while (!signal.aborted) {
      const spec = this.#waiting[this.#next];
      if (spec === undefined) break;
      this.#next += 1;
      const claim = await tryOwnerLock(this.#trial(spec).claimFolder, this.#lockOptions);
      if (!(claim instanceof OwnerLock)) {
        this.#claimedElsewhere.push(spec);
        continue;
      }
      const attempt = await this.#begin(spec, claim);
      if (attempt !== undefined) return attempt;
    }
    while (!signal.aborted) {
      const spec = this.#claimedElsewhere.shift();
      if (spec === undefined) break;
      const claim = await acquireOwnerLock(this.#trial(spec).claimFolder, {
        ...this.#lockOptions,
        signal,
        onWait: (owner) => onWait(spec, owner),
      });
      const attempt = await this.#begin(spec, claim);
      if (attempt !== undefined) return attempt;
    }
    return undefined;
  }

  /**
   * Accepts a completed attempt and gives its claim back.
   *
   * @returns false if another attempt of the trial had been accepted before.
   */
  async finished({ spec, number }: Attempt, outcome: TrialOutcome | undefined): Promise<boolean> {
    this.#numRunning -= 1;
    const isAccepted =
      outcome?.state !== "completed" || this.#trial(spec).accept(number, outcome.sources_sha256) === number;
    await this.#release(spec);
    if (outcome?.state === "failed") this.#retryOnce(spec, outcome.error.code);
    return isAccepted;
  }

  #retryOnce({ trial_id }: TrialSpec, code: ErrorCode): void {
    const spec = this.#waiting.find((candidate) => candidate.trial_id === trial_id);
    if (code !== "worker_killed" || spec === undefined || this.#killed.has(trial_id)) return;
    this.#killed.add(trial_id);
    this.#again.push(spec); // Not the attempt's, whose fusion is the stored copy.
    this.#options.onRetry(spec);
  }

  /** Gives all claims back. */
  async close(): Promise<void> {
    await Promise.all([...this.#claims.values()].map((claim) => claim.release()));
    this.#claims.clear();
  }

  get #lockOptions(): { command: string; onLost: () => void } {
    // A lost claim does no harm: only one attempt is accepted.
    return { command: this.#options.command, onLost: () => undefined };
  }

  /** A new attempt of a claimed trial; undefined if it has been completed meanwhile. */
  async #begin(spec: TrialSpec, claim: OwnerLock): Promise<Attempt | undefined> {
    this.#claims.set(spec.trial_id, claim);
    const { keep_models, onFound } = this.#options;
    const trial = this.#trial(spec);
    trial.acceptLeftovers();
    const accepted = trial
      .accepted()
      .find(({ sources_sha256 }) => sources_sha256 === spec.sources_sha256)?.attempt;
    if (accepted !== undefined) {
      await this.#release(spec);
      onFound(spec, accepted);
      return undefined;
    }
    const stored = this.#store(spec, trial);
    const attempt = trial.newAttempt();
    const [fusion] = fileFusion(spec);
    return {
      spec: stored,
      ...attempt,
      keep_models,
      ...(fusion === undefined ? {} : { fusionFile: fileOf(fusion) }),
      outcome: () => trial.outcome(attempt.number),
    };
  }

  /** Stores the spec in the trial's folder. @returns the spec, with a fusion's file replaced by the copy in the folder. */
  #store(spec: TrialSpec, trial: TrialStore): TrialSpec {
    if (spec.kind === "baseline" || spec.settings.fusion.kind !== "file") {
      trial.create(spec);
      return spec;
    }
    const { fusion } = spec.settings;
    trial.create(spec, this.#sources.get(fusion.source_sha256));
    const file = `${trial.fusionFile}:${fusion.file.split(":").at(-1)}`;
    return { ...spec, settings: { ...spec.settings, fusion: { ...fusion, file } } };
  }

  async #release({ trial_id }: TrialSpec): Promise<void> {
    const claim = this.#claims.get(trial_id);
    this.#claims.delete(trial_id);
    await claim?.release();
  }

  #trial({ trial_id }: TrialSpec): TrialStore {
    return new TrialStore(this.#options.runsDir, trial_id);
  }
}

function fileFusion(spec: TrialSpec): FileFusion[] {
  return spec.kind === "cliprpn" && spec.settings.fusion.kind === "file" ? [spec.settings.fusion] : [];
}

/** The file in `my_fusion.py:MyFusion`. */
function fileOf({ file }: Pick<FileFusion, "file">): string {
  return file.replace(/:[^:]*$/, "");
}

/** @throws CliprpnError fusion_invalid if the file has changed since the sweep was planned. */
function readFusion({ file, source_sha256 }: Pick<FileFusion, "file" | "source_sha256">): Buffer {
  const path = fileOf({ file });
  const source = existsSync(path) ? readFileSync(path) : undefined;
  if (source !== undefined && createHash("sha256").update(source).digest("hex") === source_sha256)
    return source;
  throw new CliprpnError(
    "fusion_invalid",
    `${path}: the file has changed since the sweep was planned; re-run the command to plan again`,
  );
}
