import { formatBytesOf } from "../base/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Shows uv's progress and the elapsed time, which also advances while uv prints nothing. */
export async function showProgress(
  terminal: Terminal,
  started_ms: number,
  work: (onLine: (line: string) => void) => Promise<unknown>,
): Promise<void> {
  let progress = notStarted;
  const show = (): void => terminal.live([`  ${describeProgress(progress)} (${secondsSince(started_ms)} s)`]);
  const timer = setInterval(show, 1000);
  try {
    await work((line) => {
      progress = afterLine(progress, line);
      show();
    });
  } finally {
    clearInterval(timer);
    terminal.liveDone();
  }
}

/** Seconds since a time of `performance.now()`. */
export function secondsSince(started_ms: number): number {
  return Math.round((performance.now() - started_ms) / 1000);
}

/** uv's progress, read from the lines that it prints. */
export interface InstallProgress {
  phase: "resolving" | "downloading" | "installing" | "compiling";
  /** Sizes of the packages whose download has started; uv names only the larger ones. */
  sizes_bytes: Record<string, number>;
  downloaded: string[];
}

export const notStarted: InstallProgress = { phase: "resolving", sizes_bytes: {}, downloaded: [] };

/** The progress after one more line of uv's output. */
export function afterLine(progress: InstallProgress, line: string): InstallProgress {
  const { sizes_bytes, downloaded } = progress;
  const [, started, amount, unit] = /^Downloading (\S+) \(([\d.]+)([KMG])iB\)/.exec(line) ?? [];
  if (started !== undefined && amount !== undefined) {
    const bytes = Number(amount) * 1024 ** "_KMG".indexOf(unit ?? "M");
    return { ...progress, phase: "downloading", sizes_bytes: { ...sizes_bytes, [started]: bytes } };
  }
  const [, finished] = /^Downloaded (\S+)/.exec(line) ?? [];
  if (finished !== undefined) return { ...progress, downloaded: [...downloaded, finished] };
  if (line.startsWith("Prepared ")) return { ...progress, phase: "installing" };
  if (line.startsWith("Installed ")) return { ...progress, phase: "compiling" };
  return progress;
}

/** One line for the user. */
export function describeProgress({ phase, sizes_bytes, downloaded }: InstallProgress): string {
  if (phase === "resolving") return "querying the package index";
  if (phase === "installing") return "installing the packages";
  if (phase === "compiling") return "compiling Python files";
  const names = Object.keys(sizes_bytes);
  const total = (packages: string[]): number =>
    packages.reduce((sum, name) => sum + (sizes_bytes[name] ?? 0), 0);
  const pending = names.filter((name) => !downloaded.includes(name));
  const current =
    pending.length === 0
      ? ""
      : `; downloading ${pending.slice(0, 3).join(", ")}${pending.length > 3 ? ", ..." : ""}`;
  return `${formatBytesOf(total(downloaded), total(names))}, ${downloaded.length} of ${names.length} large packages${current}`;
}
