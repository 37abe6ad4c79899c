import type { Terminal } from "../terminal/terminal.ts";
import { follow, notStarted, tell } from "./download-progress.ts";

/** Shows uv's progress and the time, also while uv says nothing. */
export async function showing(
  terminal: Terminal,
  started: number,
  work: (onLine: (line: string) => void) => Promise<unknown>,
): Promise<void> {
  let progress = notStarted;
  const show = (): void => terminal.live([`  ${tell(progress)} (${seconds(started)} s)`]);
  const timer = setInterval(show, 1000);
  try {
    await work((line) => {
      progress = follow(progress, line);
      show();
    });
  } finally {
    clearInterval(timer);
    terminal.liveDone();
  }
}

export function seconds(started: number): number {
  return Math.round((Date.now() - started) / 1000);
}
