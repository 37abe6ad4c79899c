import type { Experiment } from "../contract/generated/types.ts";
import { isBaseline } from "./baseline-keys.ts";
import { idleProblems, mixedProblems } from "./baseline-rules.ts";
import type { Placed } from "./placed.ts";
import { identityOf, type ResolvedSetting } from "./resolve.ts";
import { digest } from "./setting-identity.ts";
import { labelOf } from "./setting-label.ts";
import { settingPaths } from "./setting-paths.ts";
import { baselineRules, clipRpnRules, type SettingRule } from "./setting-rules.ts";
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
  return [...problems, ...mixedProblems(experiment)];
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
  const problems = settings.flatMap((setting) =>
    setting.kind === "cliprpn"
      ? broken(clipRpnRules, setting, experiment, silent)
      : broken(baselineRules, setting, experiment, silent),
  );
  if (silent.size === 0) problems.push(...twins(settings), ...idleProblems(experiment));
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function broken<Setting extends ResolvedSetting>(
  rules: SettingRule<Setting>[],
  setting: Setting,
  experiment: Experiment,
  silent: Set<string>,
): Placed[] {
  return rules
    .filter(({ reads }) => !reads.some((group) => silent.has(group)))
    .flatMap(({ keys, broken }) => {
      const message = broken(setting, experiment);
      return message === undefined ? [] : [{ path: writtenAt(keys, setting, experiment), message }];
    });
}

/** A baseline runs once, whatever the seeds. */
function numTrials({ vary = {}, also = [], seeds = [0] }: Experiment): number {
  const combinations = Object.values(vary).reduce((count, values) => count * values.length, 1);
  const runs = (keys: object): number => (isBaseline(keys) ? 1 : seeds.length);
  return combinations * runs(vary) + also.reduce((count, keys) => count + runs(keys), 0);
}

function twins(settings: ResolvedSetting[]): Placed[] {
  const seen = new Map<string, ResolvedSetting>();
  return settings.flatMap((setting) => {
    const identity = digest(identityOf(setting));
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
