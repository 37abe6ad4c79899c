import { didYouMean } from "../base/did-you-mean.ts";
import { joinWords } from "../base/format.ts";
import { digest } from "../contract/canonical-json.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { formatPath, formatValue, type Path, type Problem } from "./problem.ts";
import { identityOf, isBaseline, type ResolvedSetting } from "./resolve.ts";
import { labelOf, labelsOf } from "./setting-label.ts";

/** Checks labels and seeds: each label and each trial is that of one configuration, and the named baseline exists. */
export function labelProblems(experiment: Experiment, settings: readonly ResolvedSetting[]): Problem[] {
  const labels = labelsOf(settings);
  return [
    ...repeatedLabels(settings, labels),
    ...unknownBaseline(experiment, labels),
    ...repeatedTrials(settings),
    ...unusedSeeds(experiment),
  ];
}

function repeatedLabels(settings: readonly ResolvedSetting[], labels: readonly string[]): Problem[] {
  // Labels made from keys are distinct, and change with the keys, so they are taken first.
  const taken = new Set(labels.filter((_, index) => settings[index]?.label === undefined));
  return settings.flatMap((setting) => {
    const { label } = setting;
    if (label === undefined || !taken.has(label)) {
      if (label !== undefined) taken.add(label);
      return [];
    }
    const path = [...pathOf(setting), "label"];
    return [
      {
        path,
        message: `${formatPath(path)}: expected a label that no other configuration has, found ${formatValue(label)} again`,
      },
    ];
  });
}

function unknownBaseline({ baseline }: Experiment, labels: readonly string[]): Problem[] {
  if (baseline === undefined || labels.includes(baseline)) return [];
  const more = labels.length - maxLabels;
  const shown = joinWords([...labels.slice(0, maxLabels), ...(more > 0 ? [`${more} more`] : [])]);
  const expected = `expected the label of a configuration, found ${formatValue(baseline)}`;
  const help = didYouMean(baseline, labels) || ` The labels are ${shown}`;
  return [{ path: ["baseline"], message: `baseline: ${expected}.${help}` }];
}

const maxLabels = 10;

/** Finds configurations with the same settings and a common seed, which would be the same trial. */
function repeatedTrials(settings: readonly ResolvedSetting[]): Problem[] {
  const seen = new Map<string, Map<number, ResolvedSetting>>();
  return settings.flatMap((setting) => {
    const identity = digest(identityOf(setting));
    const bySeed = seen.get(identity) ?? new Map<number, ResolvedSetting>();
    seen.set(identity, bySeed);
    // A baseline is one trial, whatever its seed.
    const seeds = setting.kind === "baseline" ? [0] : setting.seeds;
    const common = seeds.find((seed) => bySeed.has(seed));
    const earlier = common === undefined ? undefined : bySeed.get(common);
    for (const seed of seeds) if (!bySeed.has(seed)) bySeed.set(seed, setting);
    if (earlier === undefined) return [];
    const same = `${labelOf(setting)} is the same configuration as ${labelOf(earlier)}`;
    // Only entries of `also` have seeds of their own.
    const canDiffer = setting.kind === "cliprpn" && setting.origin !== "grid";
    const message = canDiffer
      ? `${same}, and both run with seed ${common}; remove one, or give them different seeds`
      : `${same}; remove one`;
    return [{ path: pathOf(setting), message }];
  });
}

/** Finds seeds that no trial runs with. */
function unusedSeeds({ seeds, vary = {}, also = [] }: Experiment): Problem[] {
  const ofBaselines = also.flatMap((entry, index): Problem[] => {
    const path = ["also", index, "seeds"];
    return entry.seeds !== undefined && isBaseline(entry)
      ? [{ path, message: `${formatPath(path)} has no effect, because a baseline runs once` }]
      : [];
  });
  const hasGrid = Object.keys(vary).length > 0 || also.length === 0;
  const isUsed = hasGrid || also.some((entry) => entry.seeds === undefined);
  return seeds === undefined || isUsed
    ? ofBaselines
    : [
        ...ofBaselines,
        {
          path: ["seeds"],
          message: "seeds has no effect, because every configuration has its own; remove it",
        },
      ];
}

function pathOf({ origin }: ResolvedSetting): Path {
  return origin === "grid" ? ["vary"] : ["also", origin.also];
}
