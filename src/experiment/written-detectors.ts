import type { DetectorChoice, Experiment } from "../contract/generated/types.ts";
import { isBaseline } from "./baseline-keys.ts";
import type { Path } from "./source-text.ts";

/** Who proposes where a baseline does not say. */
export const defaultDetector: DetectorChoice = "yolo";

/** Every detector that is written, with its place; and the default with that of the first setting that falls back to it. */
export function writtenDetectors(experiment: Experiment): { path: Path; choice: DetectorChoice }[] {
  const { settings = {}, vary = {}, also = [] } = experiment;
  const key = "baseline.detector";
  const written = [
    { path: ["settings", "baseline", "detector"], choice: settings.baseline?.detector },
    ...(vary[key] ?? []).map((choice, index) => ({ path: ["vary", key, index], choice })),
    ...also.map((setting, index) => ({ path: ["also", index, key], choice: setting[key] })),
  ].flatMap(({ path, choice }) => (choice === undefined ? [] : [{ path, choice }]));
  const silent = settings.baseline?.detector === undefined ? withoutDetector(experiment) : undefined;
  return silent === undefined ? written : [...written, { path: silent, choice: defaultDetector }];
}

function withoutDetector({ vary = {}, also = [] }: Experiment): Path | undefined {
  const lacks = (keys: object): boolean => isBaseline(keys) && !("baseline.detector" in keys);
  if (lacks(vary)) return ["vary"];
  const index = also.findIndex(lacks);
  return index === -1 ? undefined : ["also", index];
}
