import { existsSync } from "node:fs";
import { CliprpnError } from "../contract/errors.ts";
import type { Settings } from "../contract/generated/types.ts";
import { parseJson, readText } from "./files.ts";

/**
 * Image size and resizing of a trained model, from the JSON file next to its weights.
 *
 * @param file a .safetensors file.
 * @throws CliprpnError not_found, weights_mismatch.
 */
export function imageSizeOf(file: string): Pick<Settings, "image_size_px" | "resize"> {
  const factsFile = file.replace(/\.[^.]*$/, ".json");
  if (!existsSync(file) || !existsSync(factsFile))
    throw new CliprpnError(
      "not_found",
      `${existsSync(file) ? factsFile : file}: expected a trained model, found no file`,
    );
  const facts = factsOf(factsFile);
  const { image_size_px, resize } = facts.settings ?? facts;
  if (!Number.isInteger(image_size_px) || (resize !== "squash" && resize !== "letterbox"))
    throw new CliprpnError(
      "weights_mismatch",
      `${factsFile}: expected the size of the model's images (image_size_px, resize), found neither; it was made by another version of cliprpn`,
    );
  return { image_size_px: Number(image_size_px), resize };
}

interface ModelFacts {
  image_size_px?: unknown;
  resize?: unknown;
  settings?: ModelFacts;
}

function factsOf(file: string): ModelFacts {
  const value = parseJson(readText(file) ?? "");
  if (typeof value === "object" && value !== null) return value;
  throw new CliprpnError("weights_mismatch", `${file}: expected JSON, found other content`);
}
