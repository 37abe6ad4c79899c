import type { PreparationOutcome } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { AttemptEnd, Launcher, Preparation } from "../../src/engine/launcher.ts";

/** The end of a preparation, without making anything. */
export function madePreparation({ spec }: Pick<Preparation, "spec">): AttemptEnd<PreparationOutcome> {
  const parts = spec.parts.map(({ make, trial: { label } }) => ({
    make,
    label,
    duration_ms: 1,
    error: null,
  }));
  return {
    how: "outcome",
    outcome: { schema_version: 1, finished_at: new Date().toISOString(), parts },
  };
}

/** A launcher's way to prepare for trials, without making anything. */
export const makeNothing: NonNullable<Launcher["prepare"]> = async (preparation, { onStarted }) => {
  onStarted();
  return madePreparation(preparation);
};

/** An engine's calls, of which none is expected. */
export const noCall: Engine["call"] = () => Promise.reject(new Error("no call is expected"));
