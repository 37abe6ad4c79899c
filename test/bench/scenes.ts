import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { DEFAULT_MAX_PIXELS } from "../../src/dataset/images/decode.ts";
import { preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { readWanted, wantedFile } from "../../src/dataset/prepare/prepared-folder.ts";
import type { Plan } from "../../src/experiment/plan.ts";
import { packageRoot } from "../../src/package-root.ts";

/** The data of all measurements: scenes, and one trial per preset. */
export interface Scenes {
  folder: string;
  experiment: string;
  env: NodeJS.ProcessEnv;
  plan: Plan;
  specFiles: string[];
  /** Time to prepare the images, without starting Python. */
  prepare_s: number;
}

export const cli: string = join(packageRoot, "bin/cliprpn.js");
export const numEpochs = 2;

/** Draws scenes for training, and a fifth as many for val, into a folder that also contains the cache. */
export async function makeScenes(folder: string, python: string, count: number): Promise<Scenes> {
  const root = join(folder, "data");
  await makeDemo(
    root,
    { seed: 1, num_images: { train: count, val: Math.ceil(count / 5), test: 2 } },
    () => undefined,
  );
  const experiment = join(folder, "bench.json");
  const epochs = { "training.num_epochs": numEpochs };
  writeFileSync(
    experiment,
    JSON.stringify({
      name: "bench",
      question: "How long does it take?",
      dataset: { name: "scenes", root },
      settings: { training: { num_epochs: numEpochs } },
      vary: { fusion: ["token_attention"] },
      also: [{ preset: "reference", fusion: "cross_attention", ...epochs }],
      seeds: [0],
      num_threads: 2, // Trials run alone here.
    }),
  );
  const env = { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: python };
  const { stdout } = await execa(process.execPath, [cli, "sweep", experiment, "--dry-run", "--json"], {
    env,
  });
  const plan: Plan = JSON.parse(stdout);
  await execa(process.execPath, [cli, "dataset", "show", root], { env });
  const prepare_s = await prepareAgainSeconds(root, plan.trials[0]?.dataset.root ?? "");
  const specFiles = plan.trials.map((spec) => {
    const file = join(folder, `${spec.kind === "cliprpn" ? spec.preset : spec.kind}.json`);
    writeFileSync(file, JSON.stringify(spec));
    return file;
  });
  return { folder, experiment, env, plan, specFiles, prepare_s };
}

/** Seconds to decode all images of the prepared dataset a second time, into another folder. */
async function prepareAgainSeconds(raw: string, prepared: string): Promise<number> {
  const started = performance.now();
  await preparePixels({
    images_dir: join(raw, "images"),
    wanted: readWanted(wantedFile(prepared)),
    folder: join(prepared, "again"),
    image_size_px: 224,
    resize: "squash",
    max_pixels: DEFAULT_MAX_PIXELS,
    follow_links: false,
  });
  return (performance.now() - started) / 1000;
}
