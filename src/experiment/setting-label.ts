import { basename } from "node:path";
import { detectorLabel } from "./detector-label.ts";
import type { ResolvedBaseline, ResolvedClipRpn, ResolvedSetting } from "./resolve.ts";

/** What sets a setting apart, for tables and legends. */
export function labelOf(setting: ResolvedSetting): string {
  return setting.kind === "cliprpn" ? clipRpnLabel(setting) : baselineLabel(setting);
}

/** The varying keys' values, `film` or `text=words interaction=additive`; the preset's name where nothing varies. */
function clipRpnLabel({ varied, preset }: ResolvedClipRpn): string {
  const { preset: _, ...rest } = varied;
  const parts = Object.entries(rest).map(([key, value]) =>
    key === "fusion" ? shown(value) : pair(key, value),
  );
  if ("preset" in varied || parts.length === 0) parts.unshift(preset);
  return parts.join(" ");
}

/** Detector and ranking, then whatever else varies: `YOLO yolov5su, crop, score >= 0.1`. */
function baselineLabel({ baseline, varied }: ResolvedBaseline): string {
  const isRanked = baseline.detector.kind !== "whole_picture";
  const others = Object.entries(varied).flatMap(([key, value]) => {
    const { [key]: words } = baselineWords;
    if (words !== undefined) return isRanked ? [words(value)] : [];
    return key.startsWith("limits.") ? [pair(key, value)] : [];
  });
  return [detectorLabel(baseline.detector), ...(isRanked ? [baseline.ranking] : []), ...others].join(", ");
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
  return `${key.split(".").at(-1)}=${shown(value)}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const { file, params = {}, ...switches }: { file?: unknown; params?: object } = value;
  const name = file === undefined ? [] : [basename(String(file))];
  const details = Object.entries({ ...params, ...switches }).map(([key, own]) => `${key}=${shown(own)}`);
  return [...name, ...details].join(" ");
}
