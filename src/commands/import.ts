import { basename, resolve } from "node:path";
import { counted, formatBytesOf } from "../base/format.ts";
import { describeOwner } from "../base/owner-lock.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { checkArchive } from "../store/archive/check-archive.ts";
import { type Imported, importArchive } from "../store/archive/import-archive.ts";
import { isSweepName } from "../store/archive/layout.ts";
import { kindOfFile, SweepArchive } from "../store/archive/open-archive.ts";
import { placesHere } from "../sweep/locate-trial.ts";
import { openEngine } from "../sweep/open-engine.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn import FILE`: adds an exported sweep to the runs folder, or converts a checkpoint; the file's content decides. */
export async function importFile(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const file = resolve(run.cwd, args.needed("file"));
  switch (await kindOfFile(file)) {
    case "archive":
      return importSweep(file, args, run);
    case "checkpoint":
      return importCheckpoint(file, args, run);
    default:
      throw new CliprpnError(
        "bad_input",
        `${file}: expected an archive of \`cliprpn export\`, or a checkpoint of the original ClipRPN; found another zip archive`,
      );
  }
}

async function importSweep(file: string, args: Arguments, run: RunContext): Promise<number> {
  const { terminal, signal, runsDir } = run;
  const name = args.text("name");
  if (name !== undefined && !isSweepName(name))
    throw new CliprpnError(
      "bad_input",
      `--name: expected lower-case letters, digits and hyphens, found ${JSON.stringify(name)}`,
    );
  const archive = await SweepArchive.open(file);
  try {
    const content = await checkArchive(archive, {
      signal,
      onProgress: (done, all) => terminal.live([`checking the archive: ${formatBytesOf(done, all)}`]),
    });
    const { experiment, rows } = content;
    const [first] = rows;
    const backbone = first?.trial.backbone ?? { name: "cliprpn-tiny", weights_id: "" };
    const imported = await importArchive(archive, content, {
      runsDir,
      name: name ?? experiment.name,
      from: basename(file),
      trust: args.flag("trust"),
      places: placesHere(experiment.dataset, backbone, run),
      command: run.commandLine,
      signal,
      onWait: (trial_id, owner) =>
        terminal.info(`${trial_id} runs in another process: ${describeOwner(owner)}; waiting for it`),
      onWaitForImport: (owner) =>
        terminal.info(`Another cliprpn process is importing: ${describeOwner(owner)}; waiting for it.`),
      onProgress: (done, total) => terminal.live([`importing: ${done} of ${counted(total, "trial")}`]),
    });
    terminal.liveDone();
    show(imported, basename(file), args.flag("json"), run);
    return EXIT.good;
  } finally {
    terminal.liveDone();
    archive.close();
  }
}

function show({ folder, isNewSweep, trials }: Imported, from: string, json: boolean, run: RunContext): void {
  const finished = trials.filter(({ attempt }) => attempt !== undefined);
  const counts = {
    num_new: finished.filter(({ isNew }) => isNew).length,
    num_known: finished.filter(({ isNew }) => !isNew).length,
    num_not_accepted: finished.filter(({ isAccepted }) => !isAccepted).length,
    num_untrusted: trials.filter(({ isTrusted }) => !isTrusted).length,
  };
  const { num_new, num_known, num_not_accepted, num_untrusted } = counts;
  run.terminal.info(
    `Imported ${counted(num_new, "result")} from ${from}${num_known > 0 ? `, ${num_known} were here already` : ""}; ${isNewSweep ? "the sweep is new" : "the sweep was here already"}.`,
  );
  if (num_not_accepted > 0)
    run.terminal.info(
      `${counted(num_not_accepted, "trial")} had a result by the same code here, which still counts; the imported one is kept next to it.`,
    );
  if (num_untrusted > 0)
    run.terminal.warn(
      `${counted(num_untrusted, "trial")} ${num_untrusted === 1 ? "has" : "have"} a fusion from the archive, which is a program and may not run: the models cannot be loaded. Read fusion.py.untrusted in ${num_untrusted === 1 ? "its folder" : "their folders"}; if you trust it, import the archive again with --trust`,
    );
  run.terminal.result(json ? JSON.stringify({ folder, ...counts }, null, 2) : folder);
}

/** Converts a checkpoint of the original to safetensors. */
async function importCheckpoint(checkpoint_file: string, args: Arguments, run: RunContext): Promise<number> {
  if (args.flag("trust") || args.text("name") !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${checkpoint_file}: --name and --trust are only valid for an archive`,
    );
  const engine = await openEngine(run);
  try {
    const params = { checkpoint_file, out_dir: resolve(run.cwd, args.needed("out")) };
    run.terminal.result(JSON.stringify(await engine.call("import_checkpoint", params), null, 2));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}
