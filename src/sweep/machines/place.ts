import type { Engine, LaunchOptions } from "../../engine/engine.ts";
import type { Launcher } from "../../engine/launcher.ts";

/** Where the trials of a sweep run, by `--engine`. */
export interface Place {
  /** One entry for each trial that may run at the same time: its device, as far as it is known. */
  slots: readonly string[];
  /** For people: "on cpu, 2 trials at the same time, with 1 thread each". */
  description: string;
  /** True if the number of slots changes, as workers come and go. */
  isElsewhere: boolean;
  /** For calls while the trials run; by default the engine itself. */
  calls?: Pick<Engine, "call">;
  launch(options: LaunchOptions): Launcher;
}
