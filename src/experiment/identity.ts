import { createHash } from "node:crypto";
import { join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import type {
  BackboneChoice,
  BaselineSettings,
  Settings,
  TrialBackbone,
} from "../contract/generated/types.ts";
import { packageRoot } from "../package-root.ts";

/** The part of a ClipRPN's settings that decides its result: the source of a fusion's file, not its path. */
export function settingIdentity({ fusion, ...settings }: Settings): unknown {
  if (fusion.kind !== "file") return { ...settings, fusion };
  const { kind, file, params, source_sha256 } = fusion;
  return { ...settings, fusion: { kind, class: file.split(":").at(-1), params, source_sha256 } };
}

/** The part of a baseline's settings that decides its result: the content of a detector's file, not its path. */
export function baselineIdentity({ detector, ...baseline }: BaselineSettings): unknown {
  const { file: _, ...identity } = { file: "", ...detector };
  return { ...baseline, detector: identity };
}

/** SHA-256 of a JSON value, independent of the order of keys. */
export function digest(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Identifies a backbone's weights by their content; OpenAI's by their name. */
export async function identifyBackbone({
  name = "cliprpn-tiny",
  weights = name === "cliprpn-tiny" ? "shipped" : "openai",
}: BackboneChoice): Promise<TrialBackbone> {
  if (weights === "openai") return { name, weights, weights_id: "openai" };
  const file =
    weights === "shipped" ? join(packageRoot, `python/cliprpn/storage/weights/${name}.safetensors`) : weights;
  return { name, weights, weights_id: await hashFile(file) };
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
    .join(",")}}`;
}
