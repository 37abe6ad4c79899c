import { EXIT, isInterruption } from "../contract/errors.ts";
import { stopSweep } from "../runs/stop-sweep.ts";
import { findSweep } from "../store/find-sweep.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn stop SWEEP [TRIAL]`: stops a sweep that runs, as Ctrl-C in its terminal does, or ends one of its trials. */
export async function stop(args: Arguments, context: Context): Promise<number> {
  const { runsDir, cwd, terminal, commandLine, signal, env } = runContext(args, context);
  const sweep = findSweep(args.needed("sweep"), runsDir, cwd);
  try {
    await stopSweep(sweep, args.text("trial"), { terminal, commandLine, signal, env });
  } catch (error) {
    if (!isInterruption(error, signal)) throw error;
    return EXIT.interrupted;
  }
  return EXIT.good;
}
