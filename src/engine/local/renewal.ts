import type { WorkerMemory } from "../../contract/generated/types.ts";

/** When a worker is replaced by a new process although its last trial went well. */
export interface RenewalRules {
  /** After as many trials; undefined for the default. */
  maxTrials?: number | undefined;
}

/** What a worker has done so far. */
export class WorkerUse {
  #numTrials = 0;
  /** Memory after its first trial: a later one needs about as much, unless something is never freed. */
  #firstBytes: number | undefined;

  /**
   * Counts a trial.
   *
   * @param memory after the trial; undefined if it ended with an error.
   * @returns why the worker has to be replaced; undefined if it may run another trial.
   */
  ended(
    memory: WorkerMemory | null | undefined,
    { maxTrials = defaultMaxTrials }: RenewalRules = {},
  ): string | undefined {
    this.#numTrials += 1;
    const { process_bytes = null, device_left_bytes = null } = memory ?? {};
    if (process_bytes !== null) this.#firstBytes ??= process_bytes;
    const growth = (process_bytes ?? 0) - (this.#firstBytes ?? 0);
    if (growth > maxGrowthBytes)
      return `its memory has grown by ${gigabytes(growth)} since its first trial, to ${gigabytes(process_bytes ?? 0)}; the limit is ${gigabytes(maxGrowthBytes)}`;
    if ((device_left_bytes ?? 0) > maxDeviceLeftBytes)
      return `${gigabytes(device_left_bytes ?? 0)} of its device's memory stay in use after a trial; the limit is ${gigabytes(maxDeviceLeftBytes)}`;
    return this.#numTrials >= maxTrials ? `it has run ${this.#numTrials} trials` : undefined;
  }
}

/** A new process takes about 4 s, which is little beside so many trials. */
const defaultMaxTrials = 100;
/** As much as a worker needs in all on the demo: trials of one sweep differ by less. */
const maxGrowthBytes = 2e9;
/** More than cuBLAS and cuDNN keep for themselves. */
const maxDeviceLeftBytes = 256e6;

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
