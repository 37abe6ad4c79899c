import type { Experiment } from "../contract/generated/types.ts";
import type { Placed } from "./file-rules.ts";
import { namedFusions, presets } from "./presets.ts";
import { labelOf, type ResolvedSetting } from "./resolve.ts";
import { digest, settingIdentity } from "./setting-identity.ts";
import type { Path } from "./source-text.ts";

/** More than anyone runs, and few enough to be planned in a moment. */
const maxTrials = 100_000;

export function tooMany(experiment: Experiment): boolean {
  return numTrials(experiment) > maxTrials;
}

/** Rules on the experiment as written, which need no settings worked out. */
export function writtenProblems(experiment: Experiment): Placed[] {
  const { vary = {}, published = [] } = experiment;
  const problems: Placed[] = [];
  if (tooMany(experiment))
    problems.push({
      path: ["vary"],
      message: `vary: makes ${numTrials(experiment)} trials; at most ${maxTrials} are possible`,
    });
  for (const path of settingPaths(experiment.settings ?? {})) {
    const key = path.join(".");
    const varied = Object.keys(vary).find((name) => name === key || key.startsWith(`${name}.`));
    if (varied !== undefined)
      problems.push({
        path: ["settings", ...path],
        message: `settings.${key} has no effect, since vary sets ${varied}; change vary.${varied}`,
      });
  }
  for (const [index, { low, high }] of published.entries())
    if (low > high)
      problems.push({
        path: ["published", index, "low"],
        message: `published[${index}].low (${low}) must not exceed high (${high})`,
      });
  return problems;
}

/**
 * Rules that no schema can say, on every setting.
 *
 * @param silent groups of settings (`rpn`; `*` for all) that have wrong values, on which nothing can be said.
 */
export function crossProblems(
  experiment: Experiment,
  settings: ResolvedSetting[],
  silent: Set<string> = new Set(),
): Placed[] {
  if (silent.has("*")) return [];
  const rules = settingRules.filter(({ reads }) => !reads.some((group) => silent.has(group)));
  const problems = settings.flatMap((setting) =>
    rules.flatMap(({ keys, broken }) => {
      const message = broken(setting, experiment);
      return message === undefined ? [] : [{ path: writtenAt(keys, setting, experiment), message }];
    }),
  );
  if (silent.size === 0) problems.push(...twins(settings));
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

interface SettingRule {
  /** Groups of settings that it looks at. */
  reads: string[];
  /** The keys to blame, the likeliest first. */
  keys: string[];
  /** What is wrong, if anything. */
  broken(setting: ResolvedSetting, experiment: Experiment): string | undefined;
}

const settingRules: SettingRule[] = [
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

function numTrials({ vary = {}, also = [], seeds = [0] }: Experiment): number {
  const combinations = Object.values(vary).reduce((count, values) => count * values.length, 1);
  return (combinations + also.length) * seeds.length;
}

/** Whether a fusion, as written or resolved, is one of the three switches. */
function hasSwitches(fusion: unknown): boolean {
  if (typeof fusion === "string")
    return Object.entries(namedFusions).some(([name, { kind }]) => name === fusion && kind === "switched");
  if (typeof fusion !== "object" || fusion === null) return false;
  return "kind" in fusion ? fusion.kind === "switched" : !("file" in fusion);
}

function twins(settings: ResolvedSetting[]): Placed[] {
  const seen = new Map<string, ResolvedSetting>();
  return settings.flatMap((setting) => {
    const identity = digest(settingIdentity(setting.settings));
    const twin = seen.get(identity);
    if (twin === undefined) seen.set(identity, setting);
    return twin === undefined
      ? []
      : [
          {
            path: setting.origin === "grid" ? ["vary"] : ["also", setting.origin.also],
            message: `${labelOf(setting)} is the same setting as ${labelOf(twin)}; keep one`,
          },
        ];
  });
}

/** Where a setting's key was written: in `also`, in `vary` or in `settings`; the preset where nobody wrote it. */
function writtenAt(keys: string[], { origin, varied }: ResolvedSetting, experiment: Experiment): Path {
  for (const key of keys) {
    if (key in varied) return origin === "grid" ? ["vary", key] : ["also", origin.also, key];
    const path = settingPaths(experiment.settings ?? {}).find((own) => own.join(".") === key);
    if (path !== undefined) return ["settings", ...path];
  }
  if ("preset" in varied) return origin === "grid" ? ["vary", "preset"] : ["also", origin.also, "preset"];
  return ["preset"];
}

/** `["rpn", "nms_thresh"]`, and its like: every key of the settings that was written. */
function settingPaths(settings: object): string[][] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    const inner = isGroup ? Object.keys(value).map((name) => [key, name]) : [];
    return isGroup && key !== "fusion" ? inner : [[key], ...inner];
  });
}
