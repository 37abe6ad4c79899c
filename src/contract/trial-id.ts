import { canonicalJson, digest } from "./canonical-json.ts";
import type { StoredBaseline, StoredSettings, TrialIdentity, TrialSpec } from "./generated/types.ts";
import { identityDefaults } from "./identity-defaults.ts";
import { trialIdentityOf } from "./trial-identity.ts";

/**
 * The id of a trial: the first 16 digits of the hash of what decides its result, without the identity defaults. The hashed
 * value never changes its form, since finished trials are found by their ids.
 */
export function trialId(spec: TrialSpec, defaults: IdentityDefaults = identityDefaults): string {
  return identityId(trialIdentityOf(spec), defaults);
}

/** The ids of a trial with each of these seeds. */
export function trialIds(spec: TrialSpec, seeds: readonly number[]): string[] {
  const hashed = hashedPart(trialIdentityOf(spec), identityDefaults);
  return seeds.map((seed) => digest("seed" in hashed ? { ...hashed, seed } : hashed).slice(0, 16));
}

/** The id of a stored trial. */
export function identityId(identity: TrialIdentity, defaults: IdentityDefaults = identityDefaults): string {
  return digest(hashedPart(identity, defaults)).slice(0, 16);
}

type IdentityDefaults = typeof identityDefaults;

function hashedPart(identity: TrialIdentity, defaults: IdentityDefaults): Json {
  const { num_threads, limits } = defaults;
  const { kind, dataset, backbone } = identity;
  return {
    kind,
    dataset: [dataset.id, dataset.split_by],
    backbone: [backbone.name, backbone.weights_id],
    ...withoutDefaults({ num_threads: identity.num_threads }, { num_threads }),
    ...(identity.kind === "cliprpn"
      ? { seed: identity.seed, settings: settingsPart(identity.settings, defaults) }
      : // Nothing is trained, so the seed decides nothing.
        {
          baseline: baselinePart(identity.baseline, defaults),
          limits: withoutDefaults(identity.limits, limits),
        }),
  };
}

function settingsPart({ fusion, ...stored }: StoredSettings, defaults: IdentityDefaults): Json {
  const settings = { ...stored, training: withFirstPrecision(stored.training) };
  const { settings: usual, fusion: usualFusion, fusions } = defaults;
  const hashed = { kind: fusion.kind, ...withoutDefaults(fusion, fusions[fusion.kind]) };
  return {
    ...withoutDefaults(settings, usual),
    ...(isEqual(hashed, usualFusion) ? {} : { fusion: hashed }),
  };
}

/** `fp32` as the first versions hashed it, in which it was `amp`: false. */
function withFirstPrecision({ precision, ...training }: StoredSettings["training"]): Json {
  return precision === "fp32" ? { ...training, amp: false } : { ...training, precision };
}

function baselinePart({ detector, ...baseline }: StoredBaseline, defaults: IdentityDefaults): Json {
  const { baseline: usual, detectors } = defaults;
  return {
    ...withoutDefaults(baseline, usual),
    detector: { kind: detector.kind, ...withoutDefaults(detector, detectors[detector.kind]) },
  };
}

type Json = Record<string, unknown>;

/**
 * Drops the keys with their default values, also in objects in it. With the defaults filled in again the result is the same
 * value, so two values with all keys never give the same result. Lists are compared as a whole.
 */
export function withoutDefaults(value: object, defaults: object): Json {
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const isUsual = Object.hasOwn(defaults, key);
    const other: unknown = isUsual ? (defaults as Json)[key] : undefined;
    if (isRecord(item) && isRecord(other)) {
      const rest = withoutDefaults(item, other);
      if (Object.keys(rest).length > 0) entries.push([key, rest]);
    } else if (!isUsual || !isEqual(item, other)) entries.push([key, item]);
  }
  return Object.fromEntries(entries);
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && typeof b === "object" && canonicalJson(a) === canonicalJson(b));
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
