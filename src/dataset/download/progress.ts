import { formatBytes, formatBytesOf } from "../../base/format.ts";

/** Progress of one file. */
export interface DownloadProgress {
  file: string;
  done_bytes: number;
  /** Undefined when the server does not report the size. */
  total_bytes: number | undefined;
  /** Over the last ten seconds of this run. */
  bytes_per_s: number;
  eta_s: number | undefined;
}

/** "train2014.zip  3.2 of 13.5 GB  41 MB/s  4 min left". */
export function progressLine({
  file,
  done_bytes,
  total_bytes,
  bytes_per_s,
  eta_s,
}: DownloadProgress): string {
  const amount = total_bytes === undefined ? formatBytes(done_bytes) : formatBytesOf(done_bytes, total_bytes);
  const parts = [file, amount, speed(bytes_per_s)];
  if (eta_s !== undefined) parts.push(`${timeLeft(eta_s)} left`);
  return parts.join("  ");
}

/** Computes speed and remaining time from byte counts. The caller passes the time. */
export class ProgressMeter {
  readonly #file: string;
  readonly #samples: { at_ms: number; done_bytes: number }[];

  constructor(file: string, done_bytes: number, now_ms: number) {
    this.#file = file;
    this.#samples = [{ at_ms: now_ms, done_bytes }];
  }

  at(now_ms: number, done_bytes: number, total_bytes: number | undefined): DownloadProgress {
    const [first] = this.#samples;
    // The file was started over: earlier samples do not predict the remaining time.
    if (first !== undefined && done_bytes < (this.#samples.at(-1)?.done_bytes ?? 0)) this.#samples.length = 0;
    this.#samples.push({ at_ms: now_ms, done_bytes });
    while (this.#samples.length > 2 && now_ms - (this.#samples[1]?.at_ms ?? 0) > windowMs)
      this.#samples.shift();
    const since = this.#samples[0] ?? { at_ms: now_ms, done_bytes };
    const seconds = (now_ms - since.at_ms) / 1000;
    const bytes_per_s = seconds > 0 ? (done_bytes - since.done_bytes) / seconds : 0;
    const left = total_bytes === undefined ? undefined : Math.max(0, total_bytes - done_bytes);
    const eta_s = left === undefined || bytes_per_s <= 0 ? undefined : left / bytes_per_s;
    return { file: this.#file, done_bytes, total_bytes, bytes_per_s, eta_s };
  }
}

const windowMs = 10_000;

function speed(bytes_per_s: number): string {
  const mb = bytes_per_s / 1e6;
  return mb >= 9.95 ? `${Math.round(mb)} MB/s` : `${mb.toFixed(1)} MB/s`;
}

/** Rounded to whole units, at least 1 s. */
function timeLeft(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
