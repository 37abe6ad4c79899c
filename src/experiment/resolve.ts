import type {
  BaselineSettings,
  Detector,
  DetectorChoice,
  Experiment,
  FusionChoice,
  Limits,
  PartialSettings,
  Setting,
  Settings,
} from "../contract/generated/types.ts";
import { isBaseline } from "./baseline-keys.ts";
import { baselineDefaults, namedFusions, type PresetName, presets } from "./presets.ts";
import { baselineIdentity, digest, settingIdentity } from "./setting-identity.ts";
import { defaultDetector } from "./written-detectors.ts";

/** One setting of the search space, nothing left open: a ClipRPN to train, or a baseline. */
export type ResolvedSetting = ResolvedClipRpn | ResolvedBaseline;

export interface ResolvedClipRpn extends Written {
  kind: "cliprpn";
  preset: PresetName;
  settings: Settings;
}

export interface ResolvedBaseline extends Written {
  kind: "baseline";
  baseline: BaselineSettings;
  limits: Limits;
}

interface Written {
  /** What sets it apart: the keys that vary, with the values as written. */
  varied: Record<string, unknown>;
  /** Where it was written, for errors: an index into `also`, or the grid. */
  origin: { also: number } | "grid";
}

/** What settings take from files. */
export interface SettingFiles {
  /** SHA-256 of a fusion's source. */
  hashFusion(file: string): string;
  /** Undefined for a detector that is not there: its settings are left out. */
  detectorOf(choice: DetectorChoice): Detector | undefined;
}

/** Every combination of `vary`, then the settings of `also`. Pure. */
export function resolveSettings(experiment: Experiment, files: SettingFiles): ResolvedSetting[] {
  const combinations = product(Object.entries(experiment.vary ?? {}));
  const grid = combinations.flatMap((varied) => resolveOne(experiment, varied, "grid", files));
  const also = (experiment.also ?? []).flatMap((varied, index) =>
    resolveOne(experiment, { ...varied }, { also: index }, files),
  );
  const onlyAlso = Object.keys(experiment.vary ?? {}).length === 0 && (experiment.also ?? []).length > 0;
  return onlyAlso ? also : [...onceWholeImage(grid), ...also];
}

/** What of a setting decides its result. */
export function identityOf(setting: ResolvedSetting): unknown {
  return setting.kind === "cliprpn"
    ? settingIdentity(setting.settings)
    : { baseline: baselineIdentity(setting.baseline), limits: setting.limits };
}

/** Combinations with other rankings have nothing to rank: they are the first again. */
function onceWholeImage(grid: ResolvedSetting[]): ResolvedSetting[] {
  const seen = new Set<string>();
  return grid.filter((setting) => {
    if (setting.kind !== "baseline" || setting.baseline.detector.kind !== "whole_picture") return true;
    const identity = digest(identityOf(setting));
    return !seen.has(identity) && seen.add(identity);
  });
}

function resolveOne(
  experiment: Experiment,
  varied: Record<string, unknown>,
  origin: Written["origin"],
  files: SettingFiles,
): ResolvedSetting[] {
  if (!isBaseline(varied)) return [resolveClipRpn(experiment, varied, origin, files)];
  const { baseline, limits } = nestedAll(varied);
  const written = { ...experiment.settings?.baseline, ...baseline };
  const detector = files.detectorOf(written.detector ?? defaultDetector);
  if (detector === undefined) return [];
  return [
    {
      kind: "baseline",
      baseline: rankable({ ...baselineDefaults, ...written, detector }),
      limits: { ...presets.default.limits, ...experiment.settings?.limits, ...limits },
      varied,
      origin,
    },
  ];
}

/** One box is the first however it is ranked. */
function rankable(baseline: BaselineSettings): BaselineSettings {
  const { detector, category_prior } = baseline;
  return detector.kind === "whole_picture" ? { ...baselineDefaults, detector, category_prior } : baseline;
}

function resolveClipRpn(
  experiment: Experiment,
  varied: Record<string, unknown>,
  origin: Written["origin"],
  files: SettingFiles,
): ResolvedClipRpn {
  const own: Setting = varied; // Checked by the schema, key by key.
  const preset = own.preset ?? experiment.preset ?? "default";
  let settings = merged(presets[preset], experiment.settings ?? {}, files);
  // `fusion` before `fusion.text`, in whatever order they were written.
  for (const [key, value] of Object.entries(varied).sort(([a], [b]) => a.length - b.length)) {
    if (key === "preset") continue;
    settings = merged(settings, nested(key.split("."), value), files);
  }
  return { kind: "cliprpn", preset, settings, varied, origin };
}

function merged(base: Settings, part: PartialSettings, { hashFusion }: SettingFiles): Settings {
  const { fusion, anchors, rpn, training, limits, baseline: _, ...others } = part;
  return {
    ...base,
    ...others,
    fusion: fusion === undefined ? base.fusion : resolveFusion(fusion, base.fusion, hashFusion),
    anchors: { ...base.anchors, ...anchors },
    rpn: { ...base.rpn, ...rpn },
    training: { ...base.training, ...training },
    limits: { ...base.limits, ...limits },
  };
}

function resolveFusion(
  choice: FusionChoice,
  base: Settings["fusion"],
  hashFile: (file: string) => string,
): Settings["fusion"] {
  if (typeof choice === "string") return namedFusions[choice];
  if (choice.file !== undefined) {
    return {
      kind: "file",
      file: choice.file,
      params: choice.params ?? {},
      source_sha256: hashFile(choice.file),
    };
  }
  const switches = base.kind === "switched" ? base : namedFusions.token_attention;
  const {
    text = switches.text,
    interaction = switches.interaction,
    coordinates = switches.coordinates,
  } = choice;
  return { kind: "switched", text, interaction, coordinates };
}

function product(lists: [string, unknown[]][]): Record<string, unknown>[] {
  return lists.reduce<Record<string, unknown>[]>(
    (combinations, [key, values]) =>
      combinations.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

function nested([head = "", ...rest]: string[], value: unknown): PartialSettings {
  return { [head]: rest.length === 0 ? value : nested(rest, value) };
}

/** Of keys with one dot, none of which holds another. */
function nestedAll(varied: Record<string, unknown>): PartialSettings {
  const all: Record<string, object> = {};
  for (const [key, value] of Object.entries(varied)) {
    const [group = "", name = ""] = key.split(".");
    all[group] = { ...all[group], [name]: value };
  }
  return all;
}
