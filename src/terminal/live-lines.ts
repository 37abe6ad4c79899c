import type { createLogUpdate } from "log-update";

/** Lines at the bottom of a screen that replace each other. */
export interface LiveLines {
  show(text: string): void;
  clear(): void;
  done(): void;
}

/** log-update is loaded when the first line is shown: it takes 45 ms, which nobody should wait for to read `--help`. */
export function liveLines(screen: NodeJS.WriteStream): LiveLines {
  let update: ReturnType<typeof createLogUpdate> | undefined;
  let wanted: string | undefined;
  let isLoading = false;
  const load = async (): Promise<void> => {
    isLoading = true;
    update = (await import("log-update")).createLogUpdate(screen);
    if (wanted !== undefined) update(wanted);
  };
  return {
    show(text) {
      wanted = text;
      if (update !== undefined) update(text);
      else if (!isLoading) void load();
    },
    clear: () => update?.clear(),
    done() {
      wanted = undefined;
      update?.clear();
      update?.done();
    },
  };
}
