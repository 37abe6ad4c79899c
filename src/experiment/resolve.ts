import { digest } from "../contract/canonical-json.ts";
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
import { storedBaseline, storedSettings } from "../contract/trial-identity.ts";
import { defaultDetector } from "./detectors.ts";
import { baselineDefaults, defaultSeeds, namedFusions, type PresetName, presets } from "./presets.ts";

/** One configuration with all defaults filled in: a ClipRPN to train, or a baseline. */
export type ResolvedSetting = ResolvedClipRpn | ResolvedBaseline;

export interface ResolvedClipRpn extends SettingSource {
  kind: "cliprpn";
  preset: PresetName;
  settings: Settings;
}

export interface ResolvedBaseline extends SettingSource {
  kind: "baseline";
  baseline: BaselineSettings;
  limits: Limits;
}

interface SettingSource {
  /** Its own label; undefined for one made from the keys that vary. */
  label: string | undefined;
  /** What to run it with; a baseline runs once, with the first. */
  seeds: readonly number[];
  /** The keys that vary, with their values as written. */
  varied: Record<string, unknown>;
  /** Its position in the experiment, for messages: an index into `also`, or the grid of `vary`. */
  origin: { also: number } | "grid";
}

/** Reads what settings need from files. */
export interface SettingFiles {
  /** SHA-256 of a fusion's source file. */
  hashFusion(file: string): string;
  /** Undefined for a detector with a problem: its settings are left out. */
  detectorOf(choice: DetectorChoice): Detector | undefined;
}

/** Resolves every combination of `vary`, then the settings of `also`. Pure. */
export function resolveSettings(experiment: Experiment, files: SettingFiles): ResolvedSetting[] {
  const combinations = cartesianProduct(Object.entries(experiment.vary ?? {}));
  const { seeds = defaultSeeds } = experiment;
  const grid = combinations.flatMap((varied) =>
    resolveOne(experiment, { varied, origin: "grid", label: undefined, seeds }, files),
  );
  const also = (experiment.also ?? []).flatMap(({ label, seeds: own = seeds, ...varied }, index) =>
    resolveOne(experiment, { varied, origin: { also: index }, label, seeds: own }, files),
  );
  const onlyAlso = Object.keys(experiment.vary ?? {}).length === 0 && (experiment.also ?? []).length > 0;
  return onlyAlso ? also : [...dropRepeatedWholeImage(grid), ...also];
}

/** The part of a setting that decides its result. */
export function identityOf(setting: ResolvedSetting): unknown {
  return setting.kind === "cliprpn"
    ? storedSettings(setting.settings)
    : { baseline: storedBaseline(setting.baseline), limits: setting.limits };
}

/** True if an entry of `also`, or the keys of `vary`, are a baseline: a key starts with `baseline.`. */
export function isBaseline(keys: object): boolean {
  return Object.keys(keys).some((key) => key.startsWith("baseline."));
}

/** Drops a whole-image baseline that differs only in its ranking: there is one box to rank. */
function dropRepeatedWholeImage(grid: ResolvedSetting[]): ResolvedSetting[] {
  const seen = new Set<string>();
  return grid.filter((setting) => {
    if (setting.kind !== "baseline" || setting.baseline.detector.kind !== "whole_image") return true;
    const identity = digest(identityOf(setting));
    return !seen.has(identity) && seen.add(identity);
  });
}

function resolveOne(experiment: Experiment, source: SettingSource, files: SettingFiles): ResolvedSetting[] {
  if (!isBaseline(source.varied)) return [resolveClipRpn(experiment, source, files)];
  const { baseline, limits } = nestAll(source.varied);
  const written = { ...experiment.settings?.baseline, ...baseline };
  const detector = files.detectorOf(written.detector ?? defaultDetector);
  if (detector === undefined) return [];
  return [
    {
      kind: "baseline",
      baseline: withoutRanking({ ...baselineDefaults, ...written, detector }),
      limits: { ...presets.default.limits, ...experiment.settings?.limits, ...limits },
      ...source,
    },
  ];
}

/** A whole image is one box, so its ranking settings are the defaults. */
function withoutRanking(baseline: BaselineSettings): BaselineSettings {
  const { detector, category_prior } = baseline;
  return detector.kind === "whole_image" ? { ...baselineDefaults, detector, category_prior } : baseline;
}

function resolveClipRpn(experiment: Experiment, source: SettingSource, files: SettingFiles): ResolvedClipRpn {
  const { varied } = source;
  const setting: Setting = varied; // Checked by the schema, key by key.
  const preset = setting.preset ?? experiment.preset ?? "default";
  let settings = mergeSettings(presets[preset], experiment.settings ?? {}, files);
  // `fusion` before `fusion.text`, whatever their order in the file.
  for (const [key, value] of Object.entries(varied).sort(([a], [b]) => a.length - b.length)) {
    if (key === "preset") continue;
    settings = mergeSettings(settings, nest(key.split("."), value), files);
  }
  return { kind: "cliprpn", preset, settings, ...source };
}

function mergeSettings(base: Settings, part: PartialSettings, { hashFusion }: SettingFiles): Settings {
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

function cartesianProduct(lists: [string, unknown[]][]): Record<string, unknown>[] {
  return lists.reduce<Record<string, unknown>[]>(
    (combinations, [key, values]) =>
      combinations.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value }))),
    [{}],
  );
}

function nest([head = "", ...rest]: string[], value: unknown): PartialSettings {
  return { [head]: rest.length === 0 ? value : nest(rest, value) };
}

/** Nests keys of the form `group.name`. */
function nestAll(varied: Record<string, unknown>): PartialSettings {
  const all: Record<string, object> = {};
  for (const [key, value] of Object.entries(varied)) {
    const [group = "", name = ""] = key.split(".");
    all[group] = { ...all[group], [name]: value };
  }
  return all;
}
