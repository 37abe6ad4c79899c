import type { createLogUpdate } from "log-update";

/** Lines at the bottom of the terminal that replace each other. */
export interface LiveLines {
  show(text: string): void;
  clear(): void;
  done(): void;
}

/** Loads log-update with the first line: it takes 45 ms, too long for `--help`. */
export function liveLines(screen: NodeJS.WriteStream): LiveLines {
  let update: ReturnType<typeof createLogUpdate> | undefined;
  let text: string | undefined;
  let isLoading = false;
  const load = async (): Promise<void> => {
    isLoading = true;
    update = (await import("log-update")).createLogUpdate(screen);
    if (text !== undefined) update(text);
  };
  return {
    show(next) {
      text = next;
      if (update !== undefined) update(next);
      else if (!isLoading) void load();
    },
    clear: () => update?.clear(),
    done() {
      text = undefined;
      update?.clear();
      update?.done();
    },
  };
}
