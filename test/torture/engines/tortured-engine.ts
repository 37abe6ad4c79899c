import type { ChildProcess } from "node:child_process";
import type { EngineOptions } from "../../../src/contract/generated/types.ts";
import type { Mark } from "../../helpers/marked.ts";
import type { Role } from "../fault-board.ts";
import type { Running, Victim } from "../run-sweep.ts";
import type { WorkFolder } from "../work-folder.ts";

/** Where the trials of a tortured sweep run: one for each `--engine`. */
export interface TorturedEngine {
  /** Arguments of `cliprpn sweep`. */
  args: readonly string[];
  /** Content of engines/lab.json. */
  options?: EngineOptions;
  env?: NodeJS.ProcessEnv;
  /** What is disturbed at random moments. */
  victims: readonly Victim[];
  /** Whether processes of a role may outlive a run that ended with this code; null after a kill. */
  outlives(role: Role, code: number | null): boolean;
  /**
   * Disturbs a victim that is no role.
   *
   * @returns undefined for a role; false if there is no such victim now.
   */
  disturb?(victim: Victim, work: WorkFolder, running: Running): Promise<boolean> | undefined;
  /** Keeps what runs beside the command of the sweep, until `stop`. @param start starts another command of cliprpn. */
  beside?(work: WorkFolder, mark: Mark, start: (command: string[]) => ChildProcess): { stop(): void };
  /** Nothing of a completed sweep waits or runs any more. @throws AssertionError. */
  checkEmpty?(work: WorkFolder): void;
  /** Jobs of the cluster, for people. */
  jobs?(): string[];
  /** Ends all jobs, after a sweep that went wrong. */
  reset?(): void;
  stop?(): Promise<void>;
}

/** Only what `cliprpn sweep` starts. */
export const localEngine: TorturedEngine = {
  args: [],
  victims: ["cli", "worker", "python"],
  outlives: () => false,
};
