import type { ReportMeasurement, StoredMeasurement, Timing } from "../contract/generated/types.ts";
import {
  type MeasuredOn,
  maxTimed,
  readMeasurement,
  writeMeasurement,
} from "../sweep/estimate/measurements.ts";

/** How preflight measures. */
interface Measuring {
  /** Measure also what an earlier preflight has measured. */
  measureAgain: boolean;
  /** What starting a worker took. */
  start: Timing;
}

type Measured = Pick<StoredMeasurement, "speed" | "baseline" | "report">;

/** Measurements of this preflight and of earlier ones, in the cache. */
export class KeptMeasurements {
  readonly #check: Measuring;
  readonly #on: MeasuredOn;
  #report: ReportMeasurement | undefined;
  /** Measurements of earlier preflights that were used. */
  numReused = 0;
  /** When the oldest of these was measured; UTC, ISO 8601. */
  oldest: string | undefined;

  constructor(check: Measuring, on: MeasuredOn) {
    this.#check = check;
    this.#on = on;
  }

  /** Measures what has not been measured yet. */
  async measure(key: string, measure: () => Promise<Measured>): Promise<void> {
    const { cacheDir, numSlots } = this.#on;
    const stored = this.#check.measureAgain ? undefined : readMeasurement(cacheDir, key);
    if (stored !== undefined) {
      this.numReused += 1;
      if (this.oldest === undefined || stored.measured_at < this.oldest) this.oldest = stored.measured_at;
    }
    const measured = stored ?? (await measure());
    this.#report ??= measured.report;
    if (stored === undefined)
      writeMeasurement(cacheDir, key, {
        schema_version: 1,
        measured_at: new Date().toISOString(),
        num_workers_timed: Math.max(1, Math.min(numSlots, maxTimed)),
        start: this.#check.start,
        ...measured,
      });
  }

  /** Of the report. */
  report(): ReportMeasurement {
    if (this.#report === undefined) throw new Error("the figures of a report are measured first");
    return this.#report;
  }
}
