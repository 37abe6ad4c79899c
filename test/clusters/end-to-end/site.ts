import type { RunningSweep } from "./running-sweep.ts";

/** Where a sweep runs while it is disturbed: one engine. */
export interface Site {
  /** Arguments of `cliprpn sweep`. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** What happens to the sweep, one after the other. */
  disturbances: readonly Disturbance[];
  /** What is left of the sweep on the cluster; empty if nothing is. */
  left(): string;
  stop(): Promise<void>;
}

/** Something that goes wrong while a sweep runs. */
export interface Disturbance {
  what: string;
  /** Makes it happen, and waits until the journal tells it. @throws Error if the sweep ends before. */
  happen(sweep: RunningSweep): Promise<void>;
}

export const controllerKilled: Disturbance = {
  what: "the process that runs the sweep is killed, and the command run again",
  happen: (sweep) => sweep.killAndRunAgain(),
};
