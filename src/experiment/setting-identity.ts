import { createHash } from "node:crypto";
import type { BaselineSettings, Settings } from "../contract/generated/types.ts";

/** What of a setting decides the result: of a fusion's file its source, not its path. */
export function settingIdentity({ fusion, ...settings }: Settings): unknown {
  if (fusion.kind !== "file") return { ...settings, fusion };
  const { kind, file, params, source_sha256 } = fusion;
  return { ...settings, fusion: { kind, class: file.split(":").at(-1), params, source_sha256 } };
}

/** What of a baseline decides the result: of a detector's file its content, not its path. */
export function baselineIdentity({ detector, ...baseline }: BaselineSettings): unknown {
  const { file: _, ...identity } = { file: "", ...detector };
  return { ...baseline, detector: identity };
}

/** SHA-256 of a value, whatever the order of its keys. */
export function digest(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join(",")}}`;
}
