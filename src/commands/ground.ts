import { resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { drawBoxes } from "../report/draw.ts";
import { findTrial } from "../store/sweep-store.ts";
import type { Arguments, Context } from "./command.ts";
import { openEngine, runsFolder } from "./session.ts";

/** `cliprpn ground IMAGE SENTENCE --model TRIAL`: the box as JSON, and the picture with the box. */
export async function ground(args: Arguments, context: Context): Promise<number> {
  const named = args.text("model");
  if (named === undefined)
    throw new CliprpnError(
      "bad_input",
      "ground needs --model: a trial's folder, the beginning of its id, or a .safetensors file",
    );
  const model = findTrial(named, runsFolder(args, context), context.cwd);
  const image_file = resolve(context.cwd, args.needed("image"));
  const out = resolve(context.cwd, args.needed("out"));
  const engine = await openEngine(args, context);
  try {
    const found = await engine.call(
      "ground",
      { model, image_file, sentence: args.needed("sentence") },
      { signal: context.signal },
    );
    await drawBoxes(image_file, [{ box_xyxy: found.pred_box_xyxy, color: "#cf222e" }], out);
    context.terminal.result(JSON.stringify(found, null, 2));
    context.terminal.info(`drawn in ${out}`);
    return EXIT.good;
  } finally {
    await engine.close();
  }
}
