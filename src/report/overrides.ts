import type { ClipRpnSpec, Settings } from "../contract/generated/types.ts";

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
 * @param variedKeys `fusion` also stands for `fusion.text`, and the other way around.
 */
export function overridesByLabel(
  specs: readonly ClipRpnSpec[],
  presets: Record<ClipRpnSpec["preset"], Settings>,
  variedKeys: readonly string[],
): OverrideGroup[] {
  const varied = new Set(variedKeys.flatMap((key) => [key, key.startsWith("fusion") ? "fusion" : key]));
  const usual = { default: flatten(presets.default), reference: flatten(presets.reference) };
  const groups = new Map<string, OverrideGroup>();
  for (const { label, preset, settings } of new Map(specs.map((spec) => [spec.label, spec])).values()) {
    const changes = [...flatten(settings)].flatMap(([key, value]) => {
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

/** "film", "2", "[1, 2]", "null"; an object as "kind=switched text=words". */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, item]) => `${key}=${textOf(item)}`)
    .join(" ");
}
