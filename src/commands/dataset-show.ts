import { relative } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { writeCard } from "../dataset/card/card.ts";
import { profileDataset } from "../dataset/card/profile.ts";
import { summaryText } from "../dataset/card/summary-text.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { Engine } from "../engine/engine.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn dataset show NAME`: prints a summary, and writes the dataset card and the contact sheet. */
export async function datasetShow(
  dataset: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  { terminal, signal, cwd }: Context,
): Promise<number> {
  terminal.live(["reading the tables"]);
  const stats = await engine.call("dataset_stats", { root: dataset.root, hash_pixels: false }, { signal });
  const profile = profileDataset(dataset, stats);
  terminal.live(["writing the card"]);
  const files = await writeCard(profile);
  terminal.liveDone();
  terminal.result(args.flag("json") ? JSON.stringify(stats, null, 2) : summaryText(profile));
  for (const file of files) terminal.info(shorter(relative(cwd, file), file));
  return EXIT.good;
}

function shorter(a: string, b: string): string {
  return a.length < b.length ? a : b;
}
