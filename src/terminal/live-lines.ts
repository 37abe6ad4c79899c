import type { createLogUpdate } from "log-update";

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
  let isLoading = false;
  let hasFailed = false;
  const fail = (): void => {
    hasFailed = true;
  };
  const draw = (change: (update: ReturnType<typeof createLogUpdate>) => void): void => {
    if (update === undefined || hasFailed) return;
    try {
      change(update);
    } catch {
      fail();
    }
  };
  const load = async (): Promise<void> => {
    isLoading = true;
    update = (await import("log-update")).createLogUpdate(screen);
    if (text !== undefined) update(text);
  };
  return {
    show(next) {
      text = next;
      if (update !== undefined) draw((show) => show(next));
      else if (!isLoading) load().catch(fail);
    },
    clear: () => draw((lines) => lines.clear()),
    done() {
      text = undefined;
      draw((lines) => {
        lines.clear();
        lines.done();
      });
    },
  };
}
