import type { Experiment } from "../contract/generated/types.ts";
import { namedFusions, presets } from "./presets.ts";
import type { ResolvedBaseline, ResolvedClipRpn, ResolvedSetting } from "./resolve.ts";

/** A rule on one setting that no schema can say. */
export interface SettingRule<Kind extends ResolvedSetting> {
  /** Groups of settings that it looks at. */
  reads: string[];
  /** The keys to blame, the likeliest first. */
  keys: string[];
  /** What is wrong, if anything. */
  broken(setting: Kind, experiment: Experiment): string | undefined;
}

export const clipRpnRules: SettingRule<ResolvedClipRpn>[] = [
  {
    reads: ["rpn"],
    keys: ["rpn.bg_iou_thresh", "rpn.fg_iou_thresh"],
    broken: ({ settings: { rpn } }) =>
      rpn.bg_iou_thresh > rpn.fg_iou_thresh
        ? `rpn.bg_iou_thresh (${rpn.bg_iou_thresh}) must not exceed rpn.fg_iou_thresh (${rpn.fg_iou_thresh})`
        : undefined,
  },
  {
    reads: ["neck_channels", "fusion"],
    keys: ["neck_channels", "fusion"],
    broken({ settings: { fusion, neck_channels } }) {
      return fusion.kind === "cross_attention" && neck_channels !== null && neck_channels % 16 !== 0
        ? `the fusion has 16 heads: expected neck_channels to be a multiple of 16, found ${neck_channels}`
        : undefined;
    },
  },
  {
    reads: ["fusion"],
    keys: ["fusion.text", "fusion.interaction", "fusion.coordinates"],
    broken({ varied, preset }, experiment) {
      const key = Object.keys(varied).find((name) => name.startsWith("fusion."));
      const base = varied.fusion ?? experiment.settings?.fusion ?? presets[preset].fusion;
      return key === undefined || hasSwitches(base)
        ? undefined
        : `${key} is a switch, which this setting's fusion does not have; give it "fusion": "token_attention" or "film"`;
    },
  },
];

export const baselineRules: SettingRule<ResolvedBaseline>[] = [
  {
    reads: ["baseline"],
    keys: ["baseline.category_prior", "baseline.detector"],
    broken: ({ baseline: { category_prior, detector } }) =>
      category_prior && (detector.kind === "rpn" || detector.kind === "whole_picture")
        ? `baseline.category_prior needs boxes that have a class; those of ${detector.kind} have none`
        : undefined,
  },
];

/** Whether a fusion, as written or resolved, is one of the three switches. */
function hasSwitches(fusion: unknown): boolean {
  if (typeof fusion === "string")
    return Object.entries(namedFusions).some(([name, { kind }]) => name === fusion && kind === "switched");
  if (typeof fusion !== "object" || fusion === null) return false;
  return "kind" in fusion ? fusion.kind === "switched" : !("file" in fusion);
}
