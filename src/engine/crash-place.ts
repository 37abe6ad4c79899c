import { existsSync, readFileSync } from "node:fs";

/**
 * The line of a person's fusion at which Python crashed or ended, as its fault handler wrote it into the log:
 * `my_fusion.py:12, in forward`; undefined if it was not in the fusion.
 *
 * @param loadedFile the copy of the fusion that ran.
 * @param fusionFile the file that the person edits.
 */
export function crashPlace(logFile: string, loadedFile: string, fusionFile: string): string | undefined {
  const text = existsSync(logFile) ? readFileSync(logFile, "utf8").slice(-maxRead) : "";
  const start = text.lastIndexOf("(most recent call first)");
  if (start === -1) return undefined;
  for (const [, file, line, name] of text.slice(start).matchAll(/^ {2}File "(.*)", line (\d+) in (.+)$/gm))
    if (file === loadedFile) return `${fusionFile}:${line}, in ${name}`;
  return undefined;
}

/** Far longer than a traceback; a log may have many gigabytes. */
const maxRead = 200_000;
