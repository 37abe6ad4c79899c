import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import { packageRoot } from "../base/package-root.ts";
import type { BackboneChoice, TrialBackbone } from "../contract/generated/types.ts";

/** A backbone with its weights, known by their content. */
export async function identifyBackbone({
  name = "cliprpn-tiny",
  weights = name === "cliprpn-tiny" ? "shipped" : "openai",
}: BackboneChoice): Promise<TrialBackbone> {
  if (weights === "openai") return { name, weights, weights_id: "openai" };
  const file =
    weights === "shipped" ? join(packageRoot, `python/cliprpn/storage/weights/${name}.safetensors`) : weights;
  return { name, weights, weights_id: await hashFile(file) };
}

/** Hash of the Python sources that run trials and of the locks: an outcome made by others is stale. */
export function hashSources(): string {
  const root = join(packageRoot, "python/cliprpn");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".py") && !file.startsWith("tiny/"),
  );
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(root, file)));
  for (const lock of ["runtime", "extra-onnx", "extra-yolo"])
    hash.update(readFileSync(join(packageRoot, `env/${lock}.txt`)));
  return hash.digest("hex");
}
