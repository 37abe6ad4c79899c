import type { createLogUpdate } from "log-update";
import { displayWidth } from "../base/display-width.ts";
import { suspendThisProcess } from "../base/process-identity.ts";

/** Lines at the bottom of the terminal that replace each other. */
export interface LiveLines {
  show(text: string): void;
  clear(): void;
  done(): void;
}

/**
 * Loads log-update with the first line: it takes 45 ms, too long for `--help`. A display that fails shows nothing more; it never
 * ends the work that it shows.
 */
export function liveLines(screen: NodeJS.WriteStream): LiveLines {
  let update: ReturnType<typeof createLogUpdate> | undefined;
  let text: string | undefined;
  /** What is on the screen, and the size of the screen when it was drawn. */
  let shown: Shown | undefined;
  let isLoading = false;
  let hasFailed = false;
  const fail = (): void => {
    hasFailed = true;
  };
  const guarded = (change: (update: ReturnType<typeof createLogUpdate>) => void): void => {
    if (update === undefined || hasFailed) return;
    try {
      change(update);
    } catch {
      fail();
    }
  };
  const clear = (): void =>
    guarded((lines) => {
      if (shown !== undefined) screen.write(eraseAdded(shown, screen.columns));
      lines.clear();
      shown = undefined;
    });
  const draw = (next: string): void => {
    // log-update rewrites only lines that differ: that is wrong on a screen of another size, and with more or fewer lines than before.
    if (shown !== undefined && !(hasSizeOf(screen, shown) && numLines(shown.text) === numLines(next)))
      clear();
    guarded((lines) => {
      lines(next);
      shown = { text: next, columns: screen.columns, rows: screen.rows };
    });
  };
  /** Ctrl-Z: the shell writes where the lines are. */
  const onSuspend = (): void => {
    clear();
    suspendThisProcess();
  };
  const onContinued = (): void => {
    if (text !== undefined) draw(text);
  };
  const load = async (): Promise<void> => {
    isLoading = true;
    // With the cursor, which a killed or suspended process could not show again.
    update = (await import("log-update")).createLogUpdate(screen, { showCursor: true });
    if (text !== undefined) draw(text);
  };
  return {
    show(next) {
      if (text === undefined) process.on("SIGTSTP", onSuspend).on("SIGCONT", onContinued);
      text = next;
      if (update !== undefined) draw(next);
      else if (!isLoading) load().catch(fail);
    },
    clear,
    done() {
      process.off("SIGTSTP", onSuspend).off("SIGCONT", onContinued);
      text = undefined;
      clear();
      guarded((lines) => lines.done());
    },
  };
}

interface Shown {
  text: string;
  columns: number;
  rows: number;
}

function hasSizeOf(screen: NodeJS.WriteStream, { columns, rows }: Shown): boolean {
  return screen.columns === columns && screen.rows === rows;
}

function numLines(text: string): number {
  return text.split("\n").length;
}

/** Erases the lines that a terminal added below a text when it became narrower and wrapped the text; log-update erases the others. */
function eraseAdded({ text, columns: before }: Shown, columns: number): string {
  if (columns >= before) return "";
  const numAdded = text
    .split("\n")
    .map((line) => Math.ceil(displayWidth(line) / Math.max(1, columns)) - 1)
    .reduce((total, added) => total + Math.max(0, added), 0);
  return `${eraseLine}${moveUp}`.repeat(numAdded);
}

const eraseLine = "\u001b[2K";
const moveUp = "\u001b[1A";
