import { basename } from "node:path";
import type {
  Experiment,
  FusionChoice,
  PartialSettings,
  Setting,
  Settings,
} from "../contract/generated/types.ts";
import { namedFusions, type PresetName, presets } from "./presets.ts";

/** One setting of the search space, nothing left open but a fusion file's hash. */
export interface ResolvedSetting {
  preset: PresetName;
  settings: Settings;
  /** What sets it apart: the keys that vary, with the values as written. */
  varied: Record<string, unknown>;
  /** Where it was written, for errors: an index into `also`, or the grid. */
  origin: { also: number } | "grid";
}

/** Every combination of `vary`, then the settings of `also`. Pure. */
export function resolveSettings(
  experiment: Experiment,
  hashFile: (file: string) => string,
): ResolvedSetting[] {
  const combinations = product(Object.entries(experiment.vary ?? {}));
  const grid = combinations.map((varied) => resolveOne(experiment, varied, "grid", hashFile));
  const also = (experiment.also ?? []).map((varied, index) =>
    resolveOne(experiment, { ...varied }, { also: index }, hashFile),
  );
  const onlyAlso = Object.keys(experiment.vary ?? {}).length === 0 && also.length > 0;
  return onlyAlso ? also : [...grid, ...also];
}

/** The varying keys' values, `film` or `text=words interaction=additive`; the preset's name where nothing varies. */
export function labelOf({ varied, preset }: ResolvedSetting): string {
  const { preset: _, ...rest } = varied;
  const parts = Object.entries(rest).map(([key, value]) =>
    key === "fusion" ? shown(value) : `${key.split(".").at(-1)}=${shown(value)}`,
  );
  if ("preset" in varied || parts.length === 0) parts.unshift(preset);
  return parts.join(" ");
}

function resolveOne(
  experiment: Experiment,
  varied: Record<string, unknown>,
  origin: ResolvedSetting["origin"],
  hashFile: (file: string) => string,
): ResolvedSetting {
  const own: Setting = varied; // Checked by the schema, key by key.
  const preset = own.preset ?? experiment.preset ?? "default";
  let settings = merged(presets[preset], experiment.settings ?? {}, hashFile);
  // `fusion` before `fusion.text`, in whatever order they were written.
  for (const [key, value] of Object.entries(varied).sort(([a], [b]) => a.length - b.length)) {
    if (key === "preset") continue;
    settings = merged(settings, nested(key.split("."), value), hashFile);
  }
  return { preset, settings, varied, origin };
}

function merged(base: Settings, part: PartialSettings, hashFile: (file: string) => string): Settings {
  const { fusion, anchors, rpn, training, limits, ...others } = part;
  return {
    ...base,
    ...others,
    fusion: fusion === undefined ? base.fusion : resolveFusion(fusion, base.fusion, hashFile),
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

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const { file, params = {}, ...switches }: { file?: unknown; params?: object } = value;
  const name = file === undefined ? [] : [basename(String(file))];
  const details = Object.entries({ ...params, ...switches }).map(([key, own]) => `${key}=${shown(own)}`);
  return [...name, ...details].join(" ");
}
