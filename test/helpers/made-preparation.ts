import type {
  PreparationOutcome,
  RunPreparationParams,
  RunPreparationResult,
} from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";

/** The result of `run_preparation`, without making anything. */
export function madePreparation({ spec }: Pick<RunPreparationParams, "spec">): RunPreparationResult {
  const parts = spec.parts.map(({ make, trial: { label } }) => ({
    make,
    label,
    duration_ms: 1,
    error: null,
  }));
  const outcome: PreparationOutcome = { schema_version: 1, finished_at: new Date().toISOString(), parts };
  return { outcome };
}

/** The calls of an engine that prepares for trials, without making anything; by default, no other call is expected. */
export function preparing(call: Engine["call"] = noCall): Engine["call"] {
  return async (method, params, options) =>
    method === "run_preparation"
      ? (madePreparation(params as RunPreparationParams) as never)
      : call(method, params, options);
}

const noCall: Engine["call"] = () => Promise.reject(new Error("no call is expected"));
