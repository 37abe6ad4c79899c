import { withPrecision } from "./former-precision.ts";
import type {
  BaselineSettings,
  Settings,
  StoredBaseline,
  StoredSettings,
  TrialIdentity,
  TrialSpec,
} from "./generated/types.ts";
import { identityDefaults } from "./identity-defaults.ts";

/** The part of a trial that decides its result, as stored in its spec.json: no path, label, preset or device. */
export function trialIdentityOf(spec: TrialSpec): TrialIdentity {
  const { trial_id, num_threads } = spec;
  const dataset = { id: spec.dataset.id, split_by: spec.dataset.split_by };
  const backbone = { name: spec.backbone.name, weights_id: spec.backbone.weights_id };
  const common = { schema_version: 1 as const, trial_id, num_threads, dataset, backbone };
  return spec.kind === "cliprpn"
    ? { ...common, kind: "cliprpn", seed: spec.seed, settings: storedSettings(spec.settings) }
    : { ...common, kind: "baseline", baseline: storedBaseline(spec.baseline), limits: spec.limits };
}

/** Settings with the class and the source of a fusion's file, not its path. */
export function storedSettings({ fusion, ...settings }: Settings): StoredSettings {
  if (fusion.kind !== "file") return { ...settings, fusion };
  const { file, ...stored } = fusion;
  return { ...settings, fusion: { ...stored, class: file.slice(file.lastIndexOf(":") + 1) } };
}

/** A baseline with the content of its detector's file, not its path. */
export function storedBaseline({ detector, ...baseline }: BaselineSettings): StoredBaseline {
  if (!("file" in detector)) return { ...baseline, detector };
  const { file: _, ...stored } = detector;
  return { ...baseline, detector: stored };
}

/** True for a trial that ranks annotated boxes, which no detector has: it is not compared with others. */
export function isUpperBound(
  trial: { kind: "cliprpn" } | { kind: "baseline"; baseline: { detector: { kind: string } } },
): boolean {
  return trial.kind === "baseline" && trial.baseline.detector.kind === "gt_boxes";
}

/** The content of a spec.json in which keys that did not exist when it was written have the value that held then. */
export function withIdentityDefaults(stored: unknown): unknown {
  return isRecord(stored) ? filledIn(stored) : stored;
}

type Json = Record<string, unknown>;

function filledIn(stored: Json): Json {
  const { num_threads, settings, fusions, baseline, detectors, limits } = identityDefaults;
  if (stored.kind === "cliprpn") {
    const filled = withMissing(withTodaysKeys(stored), { num_threads, settings });
    return { ...filled, settings: withFilledUnion(filled.settings, "fusion", fusions) };
  }
  const filled = withMissing(stored, { num_threads, baseline, limits });
  return { ...filled, baseline: withFilledUnion(filled.baseline, "detector", detectors) };
}

function withTodaysKeys(stored: Json): Json {
  const { settings } = stored;
  if (!isRecord(settings) || !isRecord(settings.training)) return stored;
  return { ...stored, settings: { ...settings, training: withPrecision(settings.training, "") } };
}

/** Adds the keys that are missing in an object and in the objects in it. */
function withMissing(value: Json, defaults: Json): Json {
  const entries = Object.entries(defaults).map(([key, usual]) => {
    const item = value[key];
    if (item === undefined) return [key, usual];
    return [key, isRecord(item) && isRecord(usual) ? withMissing(item, usual) : item];
  });
  return { ...value, ...Object.fromEntries(entries) };
}

function withFilledUnion(parent: unknown, key: string, kinds: Json): unknown {
  const union = isRecord(parent) ? parent[key] : undefined;
  const defaults = isRecord(union) ? kinds[String(union.kind)] : undefined;
  return isRecord(parent) && isRecord(union) && isRecord(defaults)
    ? { ...parent, [key]: withMissing(union, defaults) }
    : parent;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
