import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines } from "../../base/output-tail.ts";
import { makeTempFolder } from "../../base/temp-folder.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { LocalEngine } from "../../engine/local/local-engine.ts";
import { cacheDir } from "../../environment/cache.ts";
import type { StartWorker } from "../../environment/worker-rows.ts";

/** Starts one worker, as a sweep does, for `doctor`; its log lies in a temporary folder. */
export const startWorker: StartWorker = async (
  python,
  { env, signal, keepPythonPath = false, extraModulePath = [] },
) => {
  const logFile = join(makeTempFolder(), "worker.log");
  const engine = new LocalEngine({
    python,
    device: "auto",
    numThreads: null,
    logFile,
    env,
    keepPythonPath,
    extraModulePath,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const device = await engine.device();
    const cache_dir = cacheDir(env);
    return {
      device,
      checkExtra: async (name) => {
        await engine.call("check_extra", { name, cache_dir });
      },
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw withOutput(error, logFile);
  }
};

/** The error with the end of the worker's output, as the log is removed with its folder. */
function withOutput(error: unknown, logFile: string): unknown {
  if (!(error instanceof CliprpnError)) return error;
  let output = "";
  try {
    output = lastLines(readFileSync(logFile, "utf8"));
  } catch {
    // It printed nothing.
  }
  const message = error.message.replace(
    `its output, if any, is in ${logFile}`,
    output || "it printed nothing",
  );
  return new CliprpnError(error.code, message, { cause: error });
}
