import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { sizeOf } from "../../base/files.ts";
import type { MeasuredStart } from "../../contract/generated/types.ts";
import type { TrialEnd } from "../../store/journal.ts";
import { TrialStore } from "../../store/trial-store.ts";

/** What one start of a sweep takes, to set beside its estimate. Made before features are prepared. */
export class StartMeasurement {
  readonly #runsDir: string;
  readonly #cacheFolders: string[];
  readonly #cacheBytesBefore: number;
  readonly #startedAt = performance.now();
  readonly #attempts: Pick<TrialEnd, "trial_id" | "attempt">[] = [];
  readonly #ended = new Set<string>();

  constructor(runsDir: string, cacheDir: string) {
    this.#runsDir = runsDir;
    this.#cacheFolders = ["features", "detections", "vectors"].map((name) => join(cacheDir, name));
    this.#cacheBytesBefore = this.#cacheBytes();
  }

  /** An attempt of the sweep ended. */
  ended({ trial_id, attempt, state }: Pick<TrialEnd, "trial_id" | "attempt" | "state">): void {
    this.#attempts.push({ trial_id, attempt });
    if (state === "completed" || state === "failed") this.#ended.add(trial_id);
  }

  /** The disk space is without checkpoints, which are not kept; of what other sweeps add to the cache meanwhile, it has that, too. */
  soFar(): Omit<MeasuredStart, "is_interrupted"> {
    const results = this.#attempts.map(({ trial_id, attempt }) => {
      const trial = new TrialStore(this.#runsDir, trial_id);
      return sizeOf(trial.attempt(attempt).folder) - sizeOf(trial.checkpointFile(attempt));
    });
    const cached = Math.max(0, this.#cacheBytes() - this.#cacheBytesBefore);
    return {
      duration_ms: performance.now() - this.#startedAt,
      num_ended: this.#ended.size,
      written_bytes: results.reduce((sum, bytes) => sum + bytes, cached),
    };
  }

  #cacheBytes(): number {
    return this.#cacheFolders.reduce((sum, folder) => sum + sizeOf(folder), 0);
  }
}
