import type { ClipRpnSpec, Settings } from "../../contract/generated/types.ts";

/** A setting whose value is not its preset's. */
export interface Override {
  /** "training.num_epochs". */
  key: string;
  value: string;
  usual: string;
}

/** Configurations that override the same values of the same preset. */
export interface OverrideGroup {
  preset: ClipRpnSpec["preset"];
  labels: string[];
  changes: Override[];
}

/**
 * The values that configurations override beyond what the experiment varies.
 *
 * @param variedKeys null if that is unknown; `fusion.text` stands for the whole fusion.
 */
export function overridesByLabel(
  specs: readonly ClipRpnSpec[],
  presets: Record<ClipRpnSpec["preset"], Settings>,
  variedKeys: readonly string[] | null,
): OverrideGroup[] {
  const rows = [...new Map(specs.map((spec) => [spec.label, spec])).values()].map(
    ({ label, preset, settings }) => ({ label, preset, values: flatten(settings) }),
  );
  const keys = variedKeys ?? differingKeys(rows);
  const varied = new Set(keys.map((key) => (key.startsWith("fusion.") ? "fusion" : key)));
  const usual = { default: flatten(presets.default), reference: flatten(presets.reference) };
  const groups = new Map<string, OverrideGroup>();
  for (const { label, preset, values } of rows) {
    const changes = [...values].flatMap(([key, value]) => {
      const before = usual[preset].get(key) ?? "";
      return value === before || varied.has(key) ? [] : [{ key, value, usual: before }];
    });
    if (changes.length === 0) continue;
    const key = JSON.stringify([preset, changes]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { preset, labels: [label], changes });
    else group.labels.push(label);
  }
  return [...groups.values()];
}

/** Where it is unknown what the experiment varies: the keys with several values under one preset. */
function differingKeys(rows: { preset: string; values: Map<string, string> }[]): string[] {
  const first = new Map<string, Map<string, string>>();
  const differing = new Set<string>();
  for (const { preset, values } of rows) {
    const before = first.get(preset) ?? values;
    first.set(preset, before);
    for (const [key, value] of values) if (before.get(key) !== value) differing.add(key);
  }
  return [...differing];
}

/** Keys with dots, in the order of the settings; a fusion is one value. */
function flatten(settings: Settings): Map<string, string> {
  return new Map(
    Object.entries(settings).flatMap(([key, value]): [string, string][] =>
      key === "fusion" || typeof value !== "object" || value === null
        ? [[key, textOf(value)]]
        : Object.entries(value).map(([inner, item]) => [`${key}.${inner}`, textOf(item)]),
    ),
  );
}

/** "film", "2", "[1, 2]", "null"; an object as "switched text=words". */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, item]) => (key === "kind" ? textOf(item) : `${key}=${textOf(item)}`))
    .join(" ");
}
