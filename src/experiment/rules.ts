import type { Experiment } from "../contract/generated/types.ts";
import { engineProblems } from "./engine-rules.ts";
import { labelProblems } from "./label-rules.ts";
import { defaultSeeds, namedFusions, presets } from "./presets.ts";
import type { Path, Problem } from "./problem.ts";
import { isBaseline, type ResolvedBaseline, type ResolvedClipRpn, type ResolvedSetting } from "./resolve.ts";

/** More than anyone runs, and few enough to plan in a moment. */
const maxTrials = 100_000;

export function exceedsMaxTrials(experiment: Experiment): boolean {
  return numTrials(experiment) > maxTrials;
}

/** Checks the experiment as written, before its settings are resolved. */
export function writtenProblems(experiment: Experiment): Problem[] {
  const { vary = {}, published = [] } = experiment;
  const problems: Problem[] = [];
  if (exceedsMaxTrials(experiment))
    problems.push({
      path: ["vary"],
      message: `vary: creates ${numTrials(experiment)} trials; the maximum is ${maxTrials}`,
    });
  for (const path of settingPaths(experiment.settings ?? {})) {
    const key = path.join(".");
    const varied = Object.keys(vary).find((name) => name === key || key.startsWith(`${name}.`));
    if (varied !== undefined)
      problems.push({
        path: ["settings", ...path],
        message: `settings.${key} has no effect, because vary sets ${varied}; change vary.${varied}`,
      });
  }
  for (const [index, { low, high }] of published.entries())
    if (low > high)
      problems.push({
        path: ["published", index, "low"],
        message: `published[${index}].low (${low}) must not exceed high (${high})`,
      });
  return [
    ...problems,
    ...mixedProblems(experiment),
    ...engineProblems(experiment.engine ?? {}, { isExperiment: true }),
  ];
}

/**
 * Checks resolved settings by the rules that no schema can express.
 *
 * @param unknownGroups groups of settings (`rpn`; `*` for all) that have invalid values; rules that read them are skipped.
 */
export function settingProblems(
  experiment: Experiment,
  settings: ResolvedSetting[],
  unknownGroups: Set<string> = new Set(),
): Problem[] {
  if (unknownGroups.has("*")) return [];
  const problems = settings.flatMap((setting) =>
    setting.kind === "cliprpn"
      ? applyRules(clipRpnRules, setting, experiment, unknownGroups)
      : applyRules(baselineRules, setting, experiment, unknownGroups),
  );
  if (unknownGroups.size === 0)
    problems.push(...labelProblems(experiment, settings), ...unusedSettings(experiment));
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

interface SettingRule<Kind extends ResolvedSetting> {
  /** The groups of settings that it reads. */
  reads: string[];
  /** The keys that may be wrong, the likeliest first. */
  keys: string[];
  /** A message when the setting breaks the rule. */
  check(setting: Kind, experiment: Experiment): string | undefined;
}

const clipRpnRules: SettingRule<ResolvedClipRpn>[] = [
  {
    reads: ["rpn"],
    keys: ["rpn.bg_iou_thresh", "rpn.fg_iou_thresh"],
    check: ({ settings: { rpn } }) =>
      rpn.bg_iou_thresh > rpn.fg_iou_thresh
        ? `rpn.bg_iou_thresh (${rpn.bg_iou_thresh}) must not exceed rpn.fg_iou_thresh (${rpn.fg_iou_thresh})`
        : undefined,
  },
  {
    reads: ["neck_channels", "fusion"],
    keys: ["neck_channels", "fusion"],
    check({ settings: { fusion, neck_channels } }) {
      return fusion.kind === "cross_attention" && neck_channels !== null && neck_channels % 16 !== 0
        ? `cross_attention has 16 heads: expected neck_channels to be a multiple of 16, found ${neck_channels}`
        : undefined;
    },
  },
  {
    reads: ["fusion"],
    keys: ["fusion.text", "fusion.interaction", "fusion.coordinates"],
    check({ varied, preset }, experiment) {
      const key = Object.keys(varied).find((name) => name.startsWith("fusion."));
      const base = varied.fusion ?? experiment.settings?.fusion ?? presets[preset].fusion;
      return key === undefined || hasSwitches(base)
        ? undefined
        : `${key} applies only to a fusion with switches; use "fusion": "token_attention" or "film"`;
    },
  },
];

const baselineRules: SettingRule<ResolvedBaseline>[] = [
  {
    reads: ["baseline"],
    keys: ["baseline.category_prior", "baseline.detector"],
    check: ({ baseline: { category_prior, detector } }) =>
      category_prior && (detector.kind === "rpn" || detector.kind === "whole_image")
        ? `baseline.category_prior needs boxes with a class; boxes of ${detector.kind} have none`
        : undefined,
  },
];

/** True if a fusion, as written or resolved, is built from the three switches. */
function hasSwitches(fusion: unknown): boolean {
  if (typeof fusion === "string")
    return Object.entries(namedFusions).some(([name, { kind }]) => name === fusion && kind === "switched");
  if (typeof fusion !== "object" || fusion === null) return false;
  return "kind" in fusion ? fusion.kind === "switched" : !("file" in fusion);
}

function applyRules<Setting extends ResolvedSetting>(
  rules: SettingRule<Setting>[],
  setting: Setting,
  experiment: Experiment,
  unknownGroups: Set<string>,
): Problem[] {
  return rules
    .filter(({ reads }) => !reads.some((group) => unknownGroups.has(group)))
    .flatMap(({ keys, check }) => {
      const message = check(setting, experiment);
      return message === undefined ? [] : [{ path: pathOfKey(keys, setting, experiment), message }];
    });
}

/** The path in `also`, `vary` or `settings` where one of the keys was written; that of the preset when none was. */
function pathOfKey(keys: string[], { origin, varied }: ResolvedSetting, experiment: Experiment): Path {
  for (const key of keys) {
    if (key in varied) return origin === "grid" ? ["vary", key] : ["also", origin.also, key];
    const path = settingPaths(experiment.settings ?? {}).find((parts) => parts.join(".") === key);
    if (path !== undefined) return ["settings", ...path];
  }
  if ("preset" in varied) return origin === "grid" ? ["vary", "preset"] : ["also", origin.also, "preset"];
  return ["preset"];
}

/** Finds settings that mix keys of a baseline with keys of a ClipRPN. */
function mixedProblems({ vary = {}, also = [] }: Experiment): Problem[] {
  const written: [Path, string, object][] = [
    [["vary"], "vary", vary],
    ...also.map((setting, index): [Path, string, object] => [["also", index], `also[${index}]`, setting]),
  ];
  return written.flatMap(([path, name, keys]) => {
    const baselineKey = Object.keys(keys).find((key) => key.startsWith("baseline."));
    // Limits, label and seeds are valid for both.
    const clipRpnKey = Object.keys(keys).find((key) => !/^((baseline|limits)\.|(label|seeds)$)/.test(key));
    if (baselineKey === undefined || clipRpnKey === undefined) return [];
    const remedy = name === "vary" ? "move the baselines to also" : "split it into two";
    const message = `${name} has ${baselineKey} and ${clipRpnKey}, but a configuration is either a baseline or a ClipRPN; ${remedy}`;
    return [{ path: [...path, clipRpnKey], message }];
  });
}

/** Finds settings of baselines where there is no baseline, and of ClipRPNs where there is no ClipRPN. */
function unusedSettings(experiment: Experiment): Problem[] {
  const { preset, settings = {}, vary = {}, also = [] } = experiment;
  const hasGrid = Object.keys(vary).length > 0 || also.length === 0;
  const areBaselines = [...(hasGrid ? [vary] : []), ...also].map(isBaseline);
  const { baseline = {}, limits: _, ...clipRpnSettings } = settings;
  const written = (part: object): Path[] => settingPaths(part).map((path) => ["settings", ...path]);
  if (!areBaselines.includes(true))
    return written({ baseline }).map((path) =>
      unused(path, 'no configuration is a baseline; add one: "also": [{ "baseline.detector": "yolo" }]'),
    );
  if (areBaselines.includes(false)) return [];
  const paths = [...(preset === undefined ? [] : [["preset"]]), ...written(clipRpnSettings)];
  return paths.map((path) => unused(path, "every configuration is a baseline"));
}

function unused(path: Path, reason: string): Problem {
  return { path, message: `${path.join(".")} has no effect, because ${reason}` };
}

/** A baseline runs once, whatever the seeds. */
function numTrials({ vary = {}, also = [], seeds = defaultSeeds }: Experiment): number {
  const combinations = Object.values(vary).reduce((count, values) => count * values.length, 1);
  const runs = (keys: object, { length }: readonly number[]): number => (isBaseline(keys) ? 1 : length);
  return also.reduce(
    (count, entry) => count + runs(entry, entry.seeds ?? seeds),
    combinations * runs(vary, seeds),
  );
}

/** The path of every key that is written in settings: `["rpn", "nms_thresh"]`. */
function settingPaths(settings: object): string[][] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    const inner = isGroup ? Object.keys(value).map((name) => [key, name]) : [];
    return isGroup && key !== "fusion" ? inner : [[key], ...inner];
  });
}
