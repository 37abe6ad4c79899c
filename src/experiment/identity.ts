import { createHash } from "node:crypto";
import { join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import type { BackboneChoice, TrialBackbone } from "../contract/generated/types.ts";
import { packageRoot } from "../package-root.ts";

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

/** A JSON value as text, with its keys in order. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
    .join(",")}}`;
}
