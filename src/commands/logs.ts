import { EXIT, isInterruption } from "../contract/errors.ts";
import { findLog } from "../runs/find-log.ts";
import { followLog, followPreparation } from "../runs/follow-log.ts";
import { findPreparation } from "../store/find-preparation.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/**
 * `cliprpn logs TRIAL`: prints the log of a trial's newest attempt, or of the one that is named. Ctrl-C ends it.
 * `logs SWEEP/prepare`: of what the sweep makes before its trials.
 */
export async function logs(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const { terminal, signal } = run;
  const name = args.needed("trial");
  const follow = args.flag("follow");
  const preparation = findPreparation(name, run);
  let rest = "";
  const endLine = (): void => {
    if (rest !== "") terminal.result(rest);
    rest = "";
  };
  const write = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) terminal.result(line);
  };
  const note = (line: string): void => {
    endLine();
    terminal.info(line);
  };
  try {
    if (preparation === undefined)
      await followLog({ ...findLog(name, run), follow }, { write, note }, signal);
    else await followPreparation(preparation.sweep, preparation.attempt, follow, { write, note }, signal);
  } catch (error) {
    if (!isInterruption(error, signal)) throw error;
    return EXIT.interrupted;
  } finally {
    endLine();
  }
  return EXIT.good;
}
