import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { Settings } from "../contract/generated/types.ts";

/**
 * How a trained model wants its pictures; told by the JSON beside its weights.
 *
 * @param model a trial's folder (its best epoch), or a .safetensors file.
 * @throws CliprpnError not_found, weights_mismatch.
 */
export function pictureSizeOf(model: string): Pick<Settings, "image_size_px" | "resize"> {
  const isTrial = statSync(model).isDirectory();
  const file = isTrial ? join(model, "best.json") : model.replace(/\.[^.]*$/, ".json");
  if (!existsSync(file))
    throw new CliprpnError("not_found", `${file}: expected a trained model, found no file`);
  const facts = parsed(file);
  const { image_size_px, resize } = facts.spec?.settings ?? facts;
  if (!Number.isInteger(image_size_px) || (resize !== "squash" && resize !== "letterbox"))
    throw new CliprpnError(
      "weights_mismatch",
      `${file}: expected the size of the model's pictures (image_size_px, resize), found none; another version of cliprpn made it`,
    );
  return { image_size_px: Number(image_size_px), resize };
}

interface ModelFacts {
  image_size_px?: unknown;
  resize?: unknown;
  spec?: { settings?: ModelFacts };
}

function parsed(file: string): ModelFacts {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    throw new CliprpnError("weights_mismatch", `${file}: expected JSON, found something else`, {
      cause: error,
    });
  }
}
