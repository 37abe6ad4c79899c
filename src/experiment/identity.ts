import { join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import type { BackboneChoice, TrialBackbone } from "../contract/generated/types.ts";
import { packageRoot } from "../package-root.ts";

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
