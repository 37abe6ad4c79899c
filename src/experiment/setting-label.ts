import { basename } from "node:path";
import { detectorLabel } from "./detectors.ts";
import type { ResolvedBaseline, ResolvedClipRpn, ResolvedSetting } from "./resolve.ts";

/** The labels of settings; repeated ones are numbered, as two files with one name in two folders have the same. */
export function labelsOf(settings: readonly ResolvedSetting[]): string[] {
  const counts = new Map<string, number>();
  return settings.map((setting) => {
    const label = labelOf(setting);
    if (setting.label !== undefined) return label;
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    return count === 1 ? label : `${label} (${count})`;
  });
}

/** A short name that distinguishes a setting in tables and legends: its own, or one made from its keys. */
export function labelOf(setting: ResolvedSetting): string {
  if (setting.label !== undefined) return setting.label;
  return setting.kind === "cliprpn" ? clipRpnLabel(setting) : baselineLabel(setting);
}

/** The values of the keys that vary: `film`, `text=words interaction=additive`; the preset's name when none varies. */
function clipRpnLabel({ varied, preset }: ResolvedClipRpn): string {
  const { preset: _, ...rest } = varied;
  const parts = Object.entries(rest).map(([key, value]) =>
    key === "fusion" ? formatLabelValue(value) : pair(key, value),
  );
  if ("preset" in varied || parts.length === 0) parts.unshift(preset);
  return parts.join(" ");
}

/** Detector and ranking, then the other keys that vary: `YOLO yolov5su, crop, score >= 0.1`. */
function baselineLabel({ baseline, varied }: ResolvedBaseline): string {
  const isRanked = baseline.detector.kind !== "whole_image";
  const parts = Object.entries(varied).flatMap(([key, value]) => {
    const { [key]: describe } = baselineWords;
    if (describe !== undefined) return isRanked ? [describe(value)] : [];
    return key.startsWith("limits.") ? [pair(key, value)] : [];
  });
  return [detectorLabel(baseline.detector), ...(isRanked ? [baseline.ranking] : []), ...parts].join(", ");
}

const baselineWords: Record<string, (value: unknown) => string> = {
  "baseline.templates": (value) =>
    Array.isArray(value) && value.length > 1
      ? `${value.length} templates`
      : JSON.stringify([value].flat()[0]),
  "baseline.category_prior": (value) => (value === true ? "category prior" : "no category prior"),
  "baseline.score_thresh": (value) => `score >= ${value}`,
  "baseline.nms_thresh": (value) => `NMS ${value}`,
  "baseline.max_boxes": (value) => `at most ${value} boxes`,
};

function pair(key: string, value: unknown): string {
  return `${key.split(".").at(-1)}=${formatLabelValue(value)}`;
}

function formatLabelValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const { file, params = {}, ...switches }: { file?: unknown; params?: object } = value;
  const name = file === undefined ? [] : [basename(String(file))];
  const details = Object.entries({ ...params, ...switches }).map(
    ([key, item]) => `${key}=${formatLabelValue(item)}`,
  );
  return [...name, ...details].join(" ");
}
