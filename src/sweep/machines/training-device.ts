import type { RunContext } from "../run-context.ts";
import { rayDevice } from "./ray-place.ts";
import { deviceOf } from "./slurm-place.ts";

/**
 * The device on which trials train, by `--engine`, such as cuda. Null if nobody knows, since any machine may join; undefined for that
 * of this machine.
 */
export function trainingDevice(run: RunContext): string | null | undefined {
  switch (run.engine ?? "local") {
    case "local":
      return undefined;
    case "queue":
      return null;
    case "slurm":
      return deviceOf(run);
    case "ray":
      return rayDevice(run);
  }
}
