import { relative } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { checkDataset } from "../dataset/check/check-dataset.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { Engine } from "../engine/engine.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn dataset check NAME`: prints the result of every check, one line each; exit code 2 if one failed. */
export async function datasetCheck(
  dataset: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  { terminal, signal, cwd }: Context,
): Promise<number> {
  const { root } = dataset;
  const results = await checkDataset(dataset, {
    readStats: () => engine.call("dataset_stats", { root, hash_pixels: true }, { signal }),
    onFile: (file) => terminal.live([`reading ${relative(cwd, file)}`]),
    onPhase: (text) => terminal.live([text]),
  });
  terminal.liveDone();
  const lines = results.map(({ state, what, detail }) => `${state.padEnd(4)} ${what}: ${detail}`);
  terminal.result(args.flag("json") ? JSON.stringify(results, null, 2) : lines.join("\n"));
  const num_failed = results.filter(({ state }) => state === "FAIL").length;
  terminal.info(
    num_failed === 0
      ? `${results.length} checks, none failed`
      : `${num_failed} of ${results.length} checks failed: ${root}`,
  );
  return num_failed === 0 ? EXIT.good : EXIT.user_input;
}
