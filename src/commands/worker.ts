import { isAbsolute, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { findSweep } from "../store/find-sweep.ts";
import { joinSweep } from "../sweep/machines/join-sweep.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn worker --join SWEEP`: runs trials of a sweep that another process runs, maybe on another machine. */
export async function worker(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const name = args.text("join");
  if (name === undefined)
    throw new CliprpnError(
      "bad_input",
      "expected --join SWEEP, the folder of a sweep that runs with --engine queue",
    );
  const options = {
    idleS: 60 * (args.number("idle-minutes") ?? 10),
    replace: replacements(args),
    nodeCache: nodeCache(args, context.cwd),
  };
  return joinSweep(findSweep(name, run.runsDir, run.cwd), options, run);
}

/** A folder on this machine; one that begins with a variable is read by the worker. */
function nodeCache(args: Arguments, cwd: string): string | undefined {
  const folder = args.text("node-cache");
  return folder === undefined || folder.startsWith("$") ? folder : resolve(cwd, folder);
}

/** @throws CliprpnError bad_input. */
function replacements(args: Arguments): string[] {
  const pairs = args.list("replace");
  for (const pair of pairs) {
    const [from = "", to = "", ...others] = pair.split("=");
    if (!isAbsolute(from) || !isAbsolute(to) || others.length > 0)
      throw new CliprpnError(
        "bad_input",
        `--replace: expected FROM=TO with two absolute paths, found ${pair}`,
      );
  }
  return pairs;
}
