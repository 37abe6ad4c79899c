import { join, relative } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { checkFiles } from "../dataset/check/check-files.ts";
import { type Finding, finding } from "../dataset/check/finding.ts";
import { judgeStats } from "../dataset/check/judge-stats.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import { readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import type { Arguments, Context } from "./command.ts";
import { commandOf } from "./dataset-portrait.ts";

/** `cliprpn dataset check NAME`: everything that can have gone wrong, a line each; exit code 2 where something has. */
export async function checkDataset(
  dataset: DatasetIdentity,
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const { terminal, cwd } = context;
  const again = commandOf(dataset, readFacts(dataset.root));
  const findings = [
    ...(await checkFiles(dataset.root, again, (file) => terminal.live([`reading ${relative(cwd, file)}`]))),
    ...(await judged(dataset, again, engine, context)),
  ];
  terminal.liveDone();
  terminal.result(args.flag("json") ? JSON.stringify(findings, null, 2) : findings.map(line).join("\n"));
  const failed = findings.filter(({ state }) => state === "FAIL").length;
  terminal.info(
    failed === 0
      ? `${findings.length} checks, none failed`
      : `${failed} of ${findings.length} checks failed: ${dataset.root}`,
  );
  return failed === 0 ? EXIT.good : EXIT.user_input;
}

/** What the figures say; a data set that cannot be opened is a finding too. */
async function judged(
  { root }: DatasetIdentity,
  again: string,
  engine: Engine,
  { terminal, signal }: Context,
): Promise<Finding[]> {
  terminal.live(["reading the tables, comparing images"]);
  try {
    return judgeStats(
      await engine.call("dataset_stats", { root, hash_pixels: true }, { signal }),
      mend(root, again),
    );
  } catch (error) {
    if (error instanceof CliprpnError && error.code === "data_invalid")
      return [finding("FAIL", "tables and pixels can be opened", `${error.message}: \`${again}\``)];
    throw error;
  }
}

/** Tables are made anew where dataset.json does not say that they are there. */
function mend(root: string, again: string): string {
  return `delete ${join(root, "dataset.json")} and run \`${again}\` again`;
}

function line({ state, what, detail }: Finding): string {
  return `${state.padEnd(4)} ${what}: ${detail}`;
}
