import { mkdir } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { withOneImage } from "../dataset/prepare/one-image.ts";
import { checkImage, drawBoxes } from "../report/draw.ts";
import { imageSizeOf } from "../store/model-facts.ts";
import { findTrial } from "../store/sweep-store.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn ground IMAGE SENTENCE --model TRIAL`: the box as JSON, and the image with the box. */
export async function ground(args: Arguments, context: Context): Promise<number> {
  const asked = await checked(args, context);
  const engine = await openEngine(runContext(args, context));
  try {
    const { model, image_file, sentence, out } = asked;
    const found = await withOneImage(image_file, imageSizeOf(model), context.signal, (pixels_manifest) =>
      engine.call("ground", { model, pixels_manifest, sentence }, { signal: context.signal }),
    );
    await mkdir(dirname(out), { recursive: true });
    const box = { box_xyxy: found.pred_box_xyxy, color: "#d55e00" };
    await drawBoxes(image_file, [box], out, { upright: true });
    context.terminal.result(JSON.stringify(found, null, 2));
    context.terminal.info(`drawn in ${out}`);
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/** What was asked for, wrong input found before a worker starts. */
async function checked(
  args: Arguments,
  context: Context,
): Promise<{ model: string; image_file: string; sentence: string; out: string }> {
  const sentence = args.needed("sentence").trim();
  if (sentence === "") throw new CliprpnError("bad_input", "the sentence is empty; say what to look for");
  const named = args.text("model");
  if (named === undefined)
    throw new CliprpnError(
      "bad_input",
      "ground needs --model: a trial's folder, the beginning of its id, or a .safetensors file",
    );
  const image_file = resolve(context.cwd, args.needed("image"));
  const out = resolve(context.cwd, args.needed("out"));
  if (![".png", ".jpg", ".jpeg", ".webp"].includes(extname(out).toLowerCase()))
    throw new CliprpnError("bad_input", `--out ${args.text("out")}: expected a .png, .jpg or .webp file`);
  if (out === image_file)
    throw new CliprpnError("bad_input", `--out ${args.text("out")}: this is the image itself; give another`);
  await checkImage(image_file);
  const model = findTrial(named, runContext(args, context).runsDir, context.cwd);
  return { model, image_file, sentence, out };
}
