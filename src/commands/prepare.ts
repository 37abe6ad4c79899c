import { relative } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { prepareDataset } from "../dataset/prepare/prepare-dataset.ts";
import { type PrepareArguments, prepareRequest } from "../dataset/prepare/prepare-request.ts";
import { summaryLines } from "../dataset/prepare/summary-lines.ts";
import type { Engine } from "../engine/engine.ts";
import { presets } from "../experiment/presets.ts";
import { dataFolders, prepareContext } from "../sweep/datasets.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplitBy } from "./dataset-choice.ts";

/** `cliprpn prepare NAME`: turns annotations and images into a verified dataset that opens quickly. */
export async function prepare(args: Arguments, context: Context): Promise<number> {
  const { terminal, signal, cwd, env } = context;
  const request = await prepareRequest(prepareArguments(args), {
    ...{ cwd, env, signal, data: dataFolders(context).data },
    onPhase: (text) => terminal.live([text]),
    onNote: (text) => terminal.info(text),
  });
  terminal.liveDone();
  // Python starts on the first call only.
  let engine: Engine | undefined;
  const callbacks = prepareContext(async (method, params) => {
    engine ??= await openEngine(runContext(args, context));
    return engine.call(method, params, { signal });
  }, context);
  try {
    const facts = await prepareDataset(request, callbacks);
    terminal.liveDone();
    for (const line of summaryLines(facts)) terminal.info(line);
    if (facts.images_dir !== null)
      terminal.info(
        `To train on it: "dataset": { "name": "${facts.name}" } in an experiment file, or --set dataset.name=${facts.name}`,
      );
    terminal.result(relative(cwd, request.folder) || request.folder);
    return EXIT.good;
  } finally {
    await engine?.close();
  }
}

function prepareArguments(args: Arguments): PrepareArguments {
  const { image_size_px, resize } = presets.default;
  return {
    name: args.needed("name"),
    root: args.text("root"),
    split_by: chosenSplitBy(args),
    download: args.flag("download"),
    sources: args.text("sources"),
    from: args.list("from"),
    format: args.text("format"),
    box_format: args.text("box-format"),
    columns: args.text("columns"),
    split_seed: args.number("split-seed") ?? 0,
    rows: args.text("rows"),
    first_box: args.flag("first-box"),
    instances: args.text("instances"),
    only: args.list("only"),
    match: args.text("match"),
    clip_boxes: args.flag("clip-boxes"),
    force_box_format: args.flag("force-box-format"),
    allow_invalid: args.flag("allow-invalid"),
    orientation: args.text("orientation"),
    images: args.list("images"),
    without_images: args.flag("without-images"),
    image_size_px: args.number("image-size") ?? image_size_px,
    resize: args.text("resize") === "letterbox" ? "letterbox" : resize,
    max_pixels: args.number("max-pixels"),
    follow_links: args.flag("follow-links"),
    allow_missing: args.flag("allow-missing"),
  };
}
