import { mkdir } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { GroundResult } from "../contract/generated/types.ts";
import { withSingleImage } from "../dataset/prepare/prepare-images.ts";
import { checkImage, drawBoxes } from "../report/images/draw-boxes.ts";
import { type FoundModel, findModel, modelFile } from "../store/find-model.ts";
import { imageSizeOf } from "../store/model-facts.ts";
import { currentCode, specOf } from "../sweep/locate-trial.ts";
import { openEngine } from "../sweep/open-engine.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { liveEvent } from "../sweep/view/phases.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn ground IMAGE SENTENCE --model TRIAL`: prints the predicted box as JSON, and draws it on the image. */
export async function ground(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const { found, image_file, sentence, out } = await checkArguments(args, run);
  const model = modelFile(found);
  const size = imageSizeOf(model);
  const backbone_weights = found.kind === "trial" ? specOf(found.trial).backbone.weights : null;
  const engine = await openEngine(run);
  try {
    const result = await withSingleImage(image_file, size, context.signal, (pixels_manifest) =>
      engine.call(
        "ground",
        { model, backbone_weights, pixels_manifest, sentence },
        { signal: context.signal, onEvent: liveEvent(context.terminal) },
      ),
    );
    await mkdir(dirname(out), { recursive: true });
    const box = { box_xyxy: result.pred_box_xyxy, color: "#d55e00" };
    await drawBoxes(image_file, [box], out, { upright: true });
    context.terminal.result(JSON.stringify(result, null, 2));
    context.terminal.info(describeSureness(result));
    context.terminal.info(`Image with the predicted box: ${out}`);
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/** "probability of a hit 0.31 on val's scale: not sure". */
function describeSureness({ hit_probability, sure }: GroundResult): string {
  if (hit_probability === null)
    return "Probability of a hit: unknown, since this model file has no calibration; best.safetensors of a trial has one if val has at least 30 images, unless an earlier version trained it";
  return `Probability of a hit ${hit_probability.toFixed(2)} on val's scale: ${sure === true ? "sure" : "not sure"}`;
}

/** The arguments, checked before a worker starts. @throws CliprpnError bad_input, not_found, data_invalid. */
async function checkArguments(
  args: Arguments,
  run: RunContext,
): Promise<{ found: FoundModel; image_file: string; sentence: string; out: string }> {
  const sentence = args.needed("sentence").trim();
  if (sentence === "")
    throw new CliprpnError("bad_input", "SENTENCE: expected a referring expression, found an empty text");
  const trial = args.text("model");
  if (trial === undefined)
    throw new CliprpnError(
      "bad_input",
      "--model: expected a trial folder, the prefix of a trial id, or a .safetensors file, found nothing",
    );
  const { cwd } = run;
  const image_file = resolve(cwd, args.needed("image"));
  const out = resolve(cwd, args.needed("out"));
  if (![".png", ".jpg", ".jpeg", ".webp"].includes(extname(out).toLowerCase()))
    throw new CliprpnError("bad_input", `--out ${args.text("out")}: expected a .png, .jpg or .webp file`);
  if (out === image_file)
    throw new CliprpnError(
      "bad_input",
      `--out ${args.text("out")}: expected a new file, found the input image; choose another name`,
    );
  await checkImage(image_file);
  return { found: findModel(trial, run, currentCode), image_file, sentence, out };
}
