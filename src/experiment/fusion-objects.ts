import type { Experiment, FusionObject } from "../contract/generated/types.ts";
import type { Path } from "./source-text.ts";

/** Every fusion that is written as an object, with its place. */
export function fusionObjects(experiment: Experiment): { path: Path; fusion: FusionObject }[] {
  const places: { path: Path; value: unknown }[] = [
    { path: ["settings", "fusion"], value: experiment.settings?.fusion },
    ...(experiment.vary?.fusion ?? []).map((value, index) => ({ path: ["vary", "fusion", index], value })),
    ...(experiment.also ?? []).map((setting, index) => ({
      path: ["also", index, "fusion"],
      value: setting.fusion,
    })),
  ];
  return places.flatMap(({ path, value }) =>
    typeof value === "object" && value !== null ? [{ path, fusion: value }] : [],
  );
}

/** The file of `my_fusion.py:MyFusion`. */
export function fusionFile(file: string): string {
  return file.slice(0, file.lastIndexOf(":"));
}
