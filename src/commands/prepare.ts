import { join, relative, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { version } from "../base/package-root.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { AnnotationSource } from "../contract/generated/types.ts";
import { DEFAULT_MAX_PIXELS } from "../dataset/images/decode.ts";
import { extractFiles, makeUnpackedFolder } from "../dataset/images/extract-zip.ts";
import { locateAnnotations, locateImages, namedPlace, type Place } from "../dataset/prepare/locate.ts";
import { ownSource } from "../dataset/prepare/own-rows.ts";
import { inFolder, type PrepareRequest, prepareDataset } from "../dataset/prepare/prepare-dataset.ts";
import { family } from "../dataset/prepare/published-counts.ts";
import type { Engine } from "../engine/engine.ts";
import { presets } from "../experiment/presets.ts";
import { dataFolders, prepareContext } from "../sweep/datasets.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplitBy } from "./dataset-choice.ts";
import { fetchSources } from "./fetch-sources.ts";
import { toldOf } from "./prepared-summary.ts";

/** `cliprpn prepare NAME`: whatever a person has, as a verified data set that opens at once. */
export async function prepare(args: Arguments, context: Context): Promise<number> {
  const { terminal } = context;
  const request = await requested(args, context);
  // Python starts only where something is to be read.
  let engine: Engine | undefined;
  const { call, ...rest } = prepareContext(async (method, params) => {
    engine ??= await openEngine(runContext(args, context));
    return engine.call(method, params, { signal: context.signal });
  }, context);
  try {
    const facts = await prepareDataset(request, { call, ...rest });
    terminal.liveDone();
    for (const line of toldOf(facts)) terminal.info(line);
    const folder = relative(context.cwd, request.folder) || request.folder;
    if (facts.images_dir !== null)
      terminal.info(
        `Train on it by "dataset": { "name": "${facts.name}" }, or --set dataset.name=${facts.name}`,
      );
    terminal.result(folder);
    return EXIT.good;
  } finally {
    await engine?.close();
  }
}

/** What was asked for, checked before any work. */
async function requested(args: Arguments, context: Context): Promise<PrepareRequest> {
  const name = args.needed("name");
  if (!/^[a-z0-9][a-z0-9_.+-]{0,62}$/.test(name) || name === "demo")
    throw new CliprpnError(
      "bad_input",
      `${name}: expected a name of lower-case letters, digits, _ . + and -; demo is taken`,
    );
  const from = args.list("from");
  const own = from.length > 0;
  return own ? ownRequest(name, from, args, context) : familyRequest(name, args, context);
}

async function familyRequest(name: string, args: Arguments, context: Context): Promise<PrepareRequest> {
  const known = family[name];
  if (known === undefined)
    throw new CliprpnError(
      "bad_input",
      `${name}: expected ${Object.keys(family).join(", ")}, or your own data by --from FILE.${didYouMean(name, Object.keys(family))}`,
    );
  const split_by = chosenSplitBy(args) ?? known[0];
  if (!known.includes(split_by))
    throw new CliprpnError("bad_input", `--split-by ${split_by}: ${name} is split by ${known.join(" or ")}`);
  const named = args.text("root");
  if (named === undefined)
    throw new CliprpnError(
      "bad_input",
      `--root: expected the folder with what you have of ${name} (annotations and COCO's train2014), or where --download is to put it`,
    );
  const root = resolve(context.cwd, named);
  const shared = common(args);
  if (args.flag("download")) await fetchSources(name, root, split_by, args, context);
  const full = `${name}-${split_by}`;
  const folder = join(dataFolders(context).data, full);
  const source = await annotations(locateAnnotations(root, name, split_by), split_by, folder, context);
  const images = args.text("images");
  return {
    ...shared,
    folder,
    name: full,
    split_by,
    source,
    images: withoutImages(args)
      ? null
      : images === undefined
        ? locateImages(root)
        : namedPlace(resolve(context.cwd, images), "the images"),
  };
}

/** The annotations' two files; out of an archive they go into the prepared data set's own folder. */
async function annotations(
  place: Place,
  split_by: string,
  folder: string,
  { signal, terminal }: Context,
): Promise<AnnotationSource> {
  const names = ["instances.json", `refs(${split_by}).p`];
  let where = place.path;
  if (place.is_archive) {
    where = join(folder, "annotations");
    const out = where;
    const waiting = { signal, onPhase: (text: string) => terminal.live([text]) };
    const { missing, refused } = await inFolder(folder, waiting, (held) => {
      makeUnpackedFolder(place.path, out);
      return extractFiles({
        archive: place.path,
        wanted: names,
        folder: out,
        max_file_bytes: MAX_ANNOTATION_BYTES,
        signal: held,
      });
    });
    const [bad] = [...refused, ...missing.map((file_name) => ({ file_name, problem: "not in the archive" }))];
    if (bad !== undefined)
      throw new CliprpnError("data_invalid", `${place.path}: ${bad.file_name}: ${bad.problem}`);
  }
  const [instances_file = "", refs_file = ""] = names.map((name) => join(where, name));
  return { layout: "refcoco", instances_file, refs_file };
}

/** The largest of the family, RefCOCOg's instances.json, has a tenth of it. */
const MAX_ANNOTATION_BYTES = 2_000_000_000;

function ownRequest(name: string, from: string[], args: Arguments, context: Context): PrepareRequest {
  for (const option of ["root", "split-by"] as const)
    if (args.text(option) !== undefined)
      throw new CliprpnError(
        "bad_input",
        `--${option} belongs to ${Object.keys(family).join(", ")}; --from is for other data`,
      );
  if (args.flag("download"))
    throw new CliprpnError(
      "bad_input",
      "--download fetches the field's data sets; --from names files that are there",
    );
  const images = args.text("images");
  if (images === undefined && !withoutImages(args))
    throw new CliprpnError(
      "bad_input",
      "--images: expected the folder (or .zip) of the images, or --without-pictures to keep the annotations alone",
    );
  return {
    ...common(args),
    folder: join(dataFolders(context).data, name),
    name,
    split_by: "own",
    source: ownSource(
      {
        from,
        format: args.text("format"),
        box_format: args.text("box-format"),
        columns: args.text("columns"),
        split_seed: args.number("split-seed") ?? 0,
      },
      context.cwd,
    ),
    images: images === undefined ? null : namedPlace(resolve(context.cwd, images), "the images"),
  };
}

function common(
  args: Arguments,
): Pick<PrepareRequest, "sizes" | "max_pixels" | "follow_links" | "allow_missing" | "cliprpn_version"> {
  const { image_size_px, resize } = presets.default;
  const size = args.number("image-size") ?? image_size_px;
  if (size % 32 !== 0 || size < 64 || size > 1024)
    throw new CliprpnError("bad_input", `--image-size ${size}: expected a multiple of 32 from 64 to 1024`);
  return {
    sizes: [{ image_size_px: size, resize: args.text("resize") === "letterbox" ? "letterbox" : resize }],
    max_pixels: args.number("max-pixels") ?? DEFAULT_MAX_PIXELS,
    follow_links: args.flag("follow-links"),
    allow_missing: args.flag("allow-missing"),
    cliprpn_version: version,
  };
}

function withoutImages(args: Arguments): boolean {
  return args.flag("without-pictures");
}
