import { EXIT, isInterruption } from "../contract/errors.ts";
import { findLog } from "../runs/find-log.ts";
import { followLog } from "../runs/follow-log.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn logs TRIAL`: prints the log of a trial's newest attempt, or of the one that is named. Ctrl-C ends it. */
export async function logs(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const { terminal, signal } = run;
  const request = { ...findLog(args.needed("trial"), run), follow: args.flag("follow") };
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
    await followLog(request, { write, note }, signal);
  } catch (error) {
    if (!isInterruption(error, signal)) throw error;
    return EXIT.interrupted;
  } finally {
    endLine();
  }
  return EXIT.good;
}
