import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

/**
 * A working folder with `runs/` as cliprpn wrote it before trials had attempts: two sweeps and a `train` of the same name, with a
 * person's fusion, a failed trial, a baseline, and a report on test. Weights, predictions and images are stubs.
 *
 * @param keep chooses files by their path in the folder.
 */
export function makeOldRuns(work: string, keep: (path: string) => boolean = () => true): string {
  const lines = readFileSync(join(packageRoot, "test/fixtures/first-layout.jsonl"), "utf8")
    .trim()
    .split("\n");
  for (const line of lines) {
    const { path, text, mtime_s }: { path: string; text: string; mtime_s: number } = JSON.parse(line);
    if (!keep(path)) continue;
    const file = join(work, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll("/home/user/work", work));
    utimesSync(file, mtime_s, mtime_s);
  }
  return join(work, "runs");
}

/** The text of every file below a folder, by its path in it. */
export function filesIn(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, "utf8")]),
  );
}
