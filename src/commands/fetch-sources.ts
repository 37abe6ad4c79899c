import { resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { download } from "../dataset/download/download.ts";
import { progressLine } from "../dataset/download/progress.ts";
import { filesFor, readSources } from "../dataset/download/sources.ts";
import { locateAnnotations, locateImages } from "../dataset/prepare/locate.ts";
import type { Arguments, Context } from "./command.ts";

/** Fetches into `root` what is not there yet of one of the field's data sets. @throws CliprpnError no_network, no_space. */
export async function fetchSources(
  dataset: string,
  root: string,
  split_by: string,
  args: Arguments,
  { terminal, signal, cwd }: Context,
): Promise<void> {
  const own = args.text("sources");
  const hasAnnotations = isThere(() => locateAnnotations(root, dataset, split_by));
  const hasImages =
    args.text("images") !== undefined || args.flag("without-pictures") || isThere(() => locateImages(root));
  const files = filesFor(
    dataset,
    await readSources(own === undefined ? undefined : resolve(cwd, own)),
  ).filter(({ name }) => !(name === `${dataset}.zip` ? hasAnnotations : hasImages));
  await download(files, root, {
    onProgress: (progress) => terminal.live([progressLine(progress)]),
    onNote: (text) => terminal.info(text),
    signal,
  });
  terminal.liveDone();
}

function isThere(locate: () => unknown): boolean {
  try {
    locate();
    return true;
  } catch (error) {
    if (error instanceof CliprpnError && error.code === "not_found") return false;
    throw error;
  }
}
