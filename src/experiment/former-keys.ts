import { withPrecision } from "../contract/former-precision.ts";

/** An experiment with the keys of today where earlier versions had others: `training.precision` for `training.amp`. */
export function withTodaysKeys(experiment: unknown): unknown {
  if (!isRecord(experiment)) return experiment;
  const { settings, vary, also } = experiment;
  return {
    ...experiment,
    ...(isRecord(settings) && isRecord(settings.training)
      ? { settings: { ...settings, training: withPrecision(settings.training, "") } }
      : {}),
    ...(isRecord(vary) ? { vary: withPrecision(vary, "training.") } : {}),
    ...(Array.isArray(also)
      ? { also: also.map((each: unknown) => (isRecord(each) ? withPrecision(each, "training.") : each)) }
      : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
