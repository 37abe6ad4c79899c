import { EXIT } from "../contract/errors.ts";
import { checkSharedImages } from "../dataset/check/check-shared-images.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import type { Arguments, Context } from "./command.ts";

/** A prepared dataset under the name that a person gave it. */
export interface NamedDataset {
  name: string;
  root: string;
}

/** `cliprpn dataset check A B`: counts the images that the splits of several datasets share. */
export async function datasetCompare(
  datasets: NamedDataset[],
  engine: Engine,
  args: Arguments,
  { terminal, signal, env }: Context,
): Promise<number> {
  terminal.live(["comparing the files and pixels of all images"]);
  const roots = datasets.map(({ root }) => root);
  const params = { roots, cache_dir: cacheDir(env) };
  const compared = await engine.call("compare_datasets", params, { signal });
  terminal.liveDone();
  const names = datasets.map(({ name }) => name);
  const results = checkSharedImages(names, compared);
  const lines = results.map(({ state, what, detail }) => `${state.padEnd(4)} ${what}: ${detail}`);
  terminal.result(
    args.flag("json") ? JSON.stringify({ datasets: names, ...compared }, null, 2) : lines.join("\n"),
  );
  return EXIT.good;
}
