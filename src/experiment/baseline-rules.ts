import type { Experiment } from "../contract/generated/types.ts";
import { baselineKeys, clipRpnKeys, isBaseline } from "./baseline-keys.ts";
import type { Placed } from "./placed.ts";
import { settingPaths } from "./setting-paths.ts";
import type { Path } from "./source-text.ts";

/** Settings that are a baseline and a ClipRPN at once. */
export function mixedProblems({ vary = {}, also = [] }: Experiment): Placed[] {
  const places: [Path, string, object][] = [
    [["vary"], "vary", vary],
    ...also.map((setting, index): [Path, string, object] => [["also", index], `also[${index}]`, setting]),
  ];
  return places.flatMap(([path, name, keys]) => {
    const [[ofBaseline], [ofClipRpn]] = [baselineKeys(keys), clipRpnKeys(keys)];
    if (ofBaseline === undefined || ofClipRpn === undefined) return [];
    const remedy = name === "vary" ? "put the baselines into also" : "make it two";
    return [
      {
        path: [...path, ofClipRpn],
        message: `${name} has ${ofBaseline} and ${ofClipRpn}, but a setting is either a baseline or a ClipRPN; ${remedy}`,
      },
    ];
  });
}

/** What is said of baselines where there is none, or of a ClipRPN where all are baselines. */
export function idleProblems(experiment: Experiment): Placed[] {
  const { preset, settings = {}, vary = {}, also = [] } = experiment;
  const hasGrid = Object.keys(vary).length > 0 || also.length === 0;
  const kinds = [...(hasGrid ? [vary] : []), ...also].map(isBaseline);
  const { baseline = {}, limits: _, ...ofClipRpn } = settings;
  const written = (part: object): Path[] => settingPaths(part).map((path) => ["settings", ...path]);
  if (!kinds.includes(true))
    return written({ baseline }).map((path) =>
      idle(path, 'no setting is a baseline; add one: "also": [{ "baseline.detector": "yolo" }]'),
    );
  if (kinds.includes(false)) return [];
  const paths = [...(preset === undefined ? [] : [["preset"]]), ...written(ofClipRpn)];
  return paths.map((path) => idle(path, "every setting is a baseline"));
}

function idle(path: Path, why: string): Placed {
  return { path, message: `${path.join(".")} has no effect, since ${why}` };
}
