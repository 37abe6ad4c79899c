import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { check } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { BaselineSpec, Settings } from "../contract/generated/types.ts";

/**
 * Image size and resizing of a trained model, from the JSON file next to its weights.
 *
 * @param model a trial's folder (its best epoch), or a .safetensors file.
 * @throws CliprpnError not_found, weights_mismatch, bad_input.
 */
export function imageSizeOf(model: string): Pick<Settings, "image_size_px" | "resize"> {
  if (baselineOf(model) !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${model}: expected a trained model, found a baseline trial, which has no model`,
    );
  const isTrial = statSync(model).isDirectory();
  const file = isTrial ? join(model, "best.json") : model.replace(/\.[^.]*$/, ".json");
  if (!existsSync(file))
    throw new CliprpnError("not_found", `${file}: expected a trained model, found no file`);
  const facts = parsed(file);
  const { image_size_px, resize } = facts.spec?.settings ?? facts;
  if (!Number.isInteger(image_size_px) || (resize !== "squash" && resize !== "letterbox"))
    throw new CliprpnError(
      "weights_mismatch",
      `${file}: expected the size of the model's images (image_size_px, resize), found neither; it was made by another version of cliprpn`,
    );
  return { image_size_px: Number(image_size_px), resize };
}

/** The spec of a baseline trial; undefined for any other model. @throws CliprpnError contract_violation. */
export function baselineOf(trial: string): BaselineSpec | undefined {
  const file = join(trial, "spec.json");
  if (!existsSync(file)) return undefined;
  const value = parsed(file);
  return value.kind === "baseline" ? check("BaselineSpec", value, file) : undefined;
}

interface ModelFacts {
  kind?: unknown;
  image_size_px?: unknown;
  resize?: unknown;
  spec?: { settings?: ModelFacts };
}

function parsed(file: string): ModelFacts {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    throw new CliprpnError("weights_mismatch", `${file}: expected JSON, found other content`, {
      cause: error,
    });
  }
}
