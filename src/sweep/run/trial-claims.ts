import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  acquireOwnerLock,
  isHeldBy,
  type LockOwner,
  OwnerLock,
  type OwnerLockOptions,
  tryOwnerLock,
} from "../../base/owner-lock.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { FileFusion, KeepModels, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import type { Attempt } from "../../engine/launcher.ts";
import { acceptLeftovers } from "../../store/accept-leftovers.ts";
import { TrialStore } from "../../store/trial-store.ts";

export interface TrialClaimsOptions {
  runsDir: string;
  keep_models: KeepModels;
  /** Time between checkpoints within an epoch. */
  checkpoint_minutes?: number | undefined;
  /** The command as typed, for other processes that wait for a trial. */
  command: string;
}

/** What a claim gives: a new attempt, or the number of the attempt that has completed the trial meanwhile. */
export type Claimed = { attempt: Attempt } | Found;

export interface Found {
  found: number;
  outcome: TrialOutcome | undefined;
}

/**
 * Claims trials and begins attempts. A trial is claimed before its attempt begins, so that it runs once even if several sweeps ask for
 * it.
 */
export class TrialClaims {
  readonly #options: TrialClaimsOptions;
  readonly #claims = new Map<string, OwnerLock>();
  /** Sources of the fusions, by their hash: a person may edit the files while the sweep runs. */
  readonly #sources = new Map<string, Buffer>();

  /**
   * @param trials that may be claimed.
   * @throws CliprpnError fusion_invalid if the file of a fusion has changed since the sweep was planned.
   */
  constructor(trials: readonly TrialSpec[], options: TrialClaimsOptions) {
    this.#options = options;
    for (const { source_sha256, file } of trials.flatMap(fileFusion))
      if (!this.#sources.has(source_sha256))
        this.#sources.set(source_sha256, readFusion({ source_sha256, file }));
  }

  /** Claims a trial; undefined if another process runs it. */
  async tryClaim(spec: TrialSpec): Promise<Claimed | undefined> {
    const claim = await tryOwnerLock(this.#trial(spec).claimFolder, this.#lockOptions);
    return claim instanceof OwnerLock ? this.#begin(spec, claim) : undefined;
  }

  /**
   * Claims a trial of which an attempt of this sweep runs already, with this number. The claim of the process that began it may
   * count for a while after its death, if it ran on another machine.
   *
   * @returns undefined if a process still has the claim after that time.
   */
  async takeOver(spec: TrialSpec, number: number, signal: AbortSignal): Promise<Claimed | undefined> {
    const options = { ...this.#lockOptions, signal, maxWaitMs: takeOverMs };
    try {
      return await this.#begin(spec, await acquireOwnerLock(this.#trial(spec).claimFolder, options), number);
    } catch (error) {
      if (isHeldBy(error)) return undefined;
      throw error;
    }
  }

  /** Claims a trial when the process that runs it has ended or given it up. @throws the signal's reason. */
  async waitForClaim(
    spec: TrialSpec,
    signal: AbortSignal,
    onWait: (owner: LockOwner) => void,
  ): Promise<Claimed> {
    const options = { ...this.#lockOptions, signal, onWait };
    return this.#begin(spec, await acquireOwnerLock(this.#trial(spec).claimFolder, options));
  }

  /**
   * Accepts a completed attempt and gives its claim back.
   *
   * @returns false if another attempt of the trial had been accepted before.
   */
  async finished({ spec, number }: Attempt, outcome: TrialOutcome | undefined): Promise<boolean> {
    const trial = this.#trial(spec);
    const isAccepted =
      outcome?.state !== "completed" || trial.accept(number, outcome.sources_sha256) === number;
    if (outcome?.state === "completed") trial.removeCheckpoints();
    await this.#release(spec);
    return isAccepted;
  }

  /** Gives all claims back. */
  async close(): Promise<void> {
    await Promise.all([...this.#claims.values()].map((claim) => claim.release()));
    this.#claims.clear();
  }

  get #lockOptions(): OwnerLockOptions {
    // A lost claim does no harm: only one attempt is accepted.
    return { command: this.#options.command, onLost: () => undefined, beatMs: claimBeatMs };
  }

  /** @param earlier the number of an attempt to go on with, in place of a new one. */
  async #begin(spec: TrialSpec, claim: OwnerLock, earlier?: number): Promise<Claimed> {
    this.#claims.set(spec.trial_id, claim);
    const trial = this.#trial(spec);
    acceptLeftovers(trial);
    const found = trial
      .accepted()
      .find(({ sources_sha256 }) => sources_sha256 === spec.sources_sha256)?.attempt;
    if (found !== undefined) {
      trial.removeCheckpoints(); // A kill may have prevented it.
      await this.#release(spec);
      return { found, outcome: trial.outcome(found) };
    }
    const stored = this.#store(spec, trial);
    const resume_from = trial.resumable().map((earlier) => trial.attempt(earlier).folder);
    const { checkpoint_minutes } = this.#options;
    const { number, folder, logFile } = earlier === undefined ? trial.newAttempt() : trial.attempt(earlier);
    const [fusion] = fileFusion(spec);
    const attempt = {
      spec: stored,
      number,
      folder,
      logFile,
      keep_models: this.#options.keep_models,
      resume_from,
      ...(checkpoint_minutes === undefined ? {} : { checkpoint_minutes }),
      ...(fusion === undefined ? {} : { fusionFile: fileOf(fusion) }),
      outcome: () => trial.outcome(number),
      hasCheckpoint: () => existsSync(trial.checkpointFile(number)),
    };
    return { attempt };
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

/** Rarer than for other locks, as a sweep may hold a thousand claims; others watch for 30 s. */
const claimBeatMs = 10_000;

/** Longer than the claim of a dead process counts. */
const takeOverMs = 60_000;

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
