import type { Report, TrialSpec } from "../../contract/generated/types.ts";
import { storedBaseline, storedSettings } from "../../contract/trial-identity.ts";

export type Component = Report["settings"][number]["components"][number];

/** The settings that differ between the configurations of a kind, by label. Lists are compared as a whole. */
export function componentsOf(specs: readonly TrialSpec[]): Map<string, Component[]> {
  const ofLabel = new Map(
    specs.map((spec) => [spec.label, { kind: spec.kind, values: flatten(settingsOf(spec)) }]),
  );
  const varied = new Map(
    (["cliprpn", "baseline"] as const).map((kind) => [
      kind,
      variedKeys([...ofLabel.values()].filter((each) => each.kind === kind).map(({ values }) => values)),
    ]),
  );
  return new Map(
    [...ofLabel].map(([label, { kind, values }]) => [
      label,
      (varied.get(kind) ?? []).map((key) => ({ key, value: values.get(key) ?? null })),
    ]),
  );
}

/** Those that differ, in the order of the settings. */
function variedKeys(all: Map<string, string>[]): string[] {
  const keys = [...new Set(all.flatMap((values) => [...values.keys()]))];
  return keys.filter((key) => new Set(all.map((values) => values.get(key))).size > 1);
}

function settingsOf(spec: TrialSpec): object {
  return spec.kind === "cliprpn"
    ? storedSettings(spec.settings)
    : { ...storedBaseline(spec.baseline), limits: spec.limits };
}

/** Dotted keys, and the values as JSON. */
function flatten(value: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, item]): [string, string][] =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? [...flatten(item, `${prefix}${key}.`)]
        : [[prefix + key, JSON.stringify(item)]],
    ),
  );
}
