import type { TrialIdentity } from "../contract/generated/types.ts";
import { storedSettings } from "../contract/trial-identity.ts";
import { baselineDefaults, type PresetName, presets } from "../experiment/presets.ts";

/** A setting that has two values; a value is missing where there is no such setting. */
export interface Difference {
  /** Dotted: `training.num_epochs`. */
  key: string;
  a?: unknown;
  b?: unknown;
}

/** The settings of a trial (a) that differ from those of its preset (b), or from the defaults of a baseline. */
export function differencesFromPreset(identity: TrialIdentity, preset: PresetName): Difference[] {
  if (identity.kind === "cliprpn") return differences(identity.settings, storedSettings(presets[preset]));
  const { baseline, limits } = identity;
  return differences({ ...baseline, limits }, { ...baselineDefaults, limits: presets.default.limits });
}

/** Everything that decides a trial's result, by the keys of an experiment. */
export function decidingKeys(identity: TrialIdentity): object {
  const { kind, dataset, backbone, num_threads } = identity;
  const common = { kind, dataset, backbone, num_threads };
  return identity.kind === "cliprpn"
    ? { ...common, seed: identity.seed, ...identity.settings }
    : { ...common, baseline: identity.baseline, limits: identity.limits };
}

/** The dotted keys whose values differ. Lists are compared as a whole. */
export function differences(a: object, b: object): Difference[] {
  const [values, others] = [flatten(a), flatten(b)];
  return [...new Set([...values.keys(), ...others.keys()])].flatMap((key) => {
    const [value, other] = [values.get(key), others.get(key)];
    if (JSON.stringify(value) === JSON.stringify(other)) return [];
    return [
      { key, ...(value === undefined ? {} : { a: value }), ...(other === undefined ? {} : { b: other }) },
    ];
  });
}

function flatten(value: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? [...flatten(item, `${prefix}${key}.`)]
        : [[prefix + key, item]],
    ),
  );
}
