import { resolve } from "node:path";
import { counted, formatBytes, formatBytesOf } from "../base/format.ts";
import { EXIT } from "../contract/errors.ts";
import type { ExportManifest } from "../contract/generated/types.ts";
import { version } from "../package-root.ts";
import { collectFiles, type SweepFiles } from "../store/archive/collect-files.ts";
import { checkIsNew, writeArchive } from "../store/archive/write-archive.ts";
import { findSweep } from "../store/find-sweep.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn export SWEEP`: writes an archive of a sweep for another machine. */
export async function exportSweep(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const { terminal, signal } = run;
  const sweep = findSweep(args.needed("sweep"), run.runsDir, run.cwd);
  const models = modelsOf(args.text("models"));
  const file = resolve(run.cwd, args.text("out") ?? `${sweep.name}.zip`);
  checkIsNew(file);
  const content = await collect(sweep, models, run);
  const bytes = await writeArchive(file, content.files, {
    sweep: sweep.name,
    models,
    cliprpn_version: version,
    signal,
    onProgress: (done, all) => terminal.live([`exporting: ${formatBytesOf(done, all)}`]),
  });
  terminal.liveDone();
  terminal.info(`Exported the sweep ${sweep.name}: ${describe(content, models)}; ${formatBytes(bytes)}.`);
  terminal.result(args.flag("json") ? JSON.stringify(facts(sweep, file, bytes, content), null, 2) : file);
  return EXIT.good;
}

/** With the lock of the reports, so that a report and its images belong together. */
async function collect(
  sweep: SweepStore,
  models: ExportManifest["models"],
  { terminal, signal, commandLine }: Context,
): Promise<SweepFiles> {
  const lock = await sweep.lockReport({
    command: commandLine,
    signal,
    onWait: () => terminal.info("Another cliprpn process writes the report of this sweep; waiting for it."),
    onLost: () => undefined, // A file that changes meanwhile is an error.
  });
  try {
    return collectFiles(sweep, models);
  } finally {
    await lock.release();
  }
}

function facts({ name }: SweepStore, file: string, bytes: number, content: SweepFiles): object {
  const { numTrials, numFinished, numModels, numFusions } = content;
  return {
    file,
    bytes,
    sweep: name,
    num_trials: numTrials,
    num_finished: numFinished,
    num_models: numModels,
    num_fusions: numFusions,
  };
}

function describe(
  { numTrials, numFinished, numModels, numFusions }: SweepFiles,
  models: ExportManifest["models"],
): string {
  const parts = [
    `${numFinished} of ${counted(numTrials, "trial")} with results`,
    models === "none" ? "no models (add them with --models best)" : counted(numModels, "model"),
    ...(numFusions === 0 ? [] : [`the source of ${counted(numFusions, "fusion")}`]),
  ];
  return parts.join(", ");
}

function modelsOf(text: string | undefined): ExportManifest["models"] {
  return text === "best" || text === "all" ? text : "none"; // The table allows no other value.
}
