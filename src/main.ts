import { appendFileSync, existsSync, mkdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { quoteForShell } from "./base/format.ts";
import { machineError } from "./base/machine-error.ts";
import type { Context } from "./commands/command.ts";
import { runCommand } from "./commands/register.ts";
import { commands } from "./commands/table.ts";
import { CliprpnError, EXIT, exitCodeOf, isInterruption } from "./contract/errors.ts";
import { cacheDir } from "./environment/cache.ts";
import { checkPlatform } from "./environment/requirements.ts";
import { version } from "./package-root.ts";
import { makeTerminal, type Streams } from "./terminal/make-terminal.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Streams, environment and signals of a run; tests pass their own. */
export interface Io extends Streams {
  cwd: string;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
  signal: AbortSignal;
  startEngine?: Context["startEngine"];
}

/** Runs one command. @returns the exit code; nothing is thrown. */
export async function main(argv: string[], io: Io): Promise<number> {
  const terminal = makeTerminal(io);
  let stopping: NodeJS.Timeout | undefined;
  io.signal.addEventListener("abort", () => {
    const say = (): void => terminal.info("Stopping... press Ctrl-C again to force quit.");
    stopping = setTimeout(say, stopsAtOnceMs); // Many commands have ended by then.
  });
  try {
    checkPlatform(io.platform);
    const context = {
      terminal,
      cwd: io.cwd,
      env: io.env,
      signal: io.signal,
      startEngine: io.startEngine,
      commandLine: `cliprpn ${argv.map(quoteForShell).join(" ")}`,
    };
    return await runCommand(commands, argv, context, version);
  } catch (error) {
    terminal.liveDone();
    if (isInterruption(error, io.signal)) {
      const isAsked = error instanceof CliprpnError && !io.signal.aborted; // By another command.
      terminal.info(isAsked ? error.message : "Interrupted. Re-run the same command to resume.");
      return EXIT.interrupted;
    }
    const known = error instanceof CliprpnError ? error : machineError(error, () => fullFolder(argv, io));
    if (known === undefined) return unexpected(error, terminal, io.env);
    terminal.info(known.message);
    return exitCodeOf(known.code);
  } finally {
    clearTimeout(stopping);
  }
}

const stopsAtOnceMs = 150;

/** The folder with the least free space: the error of a failed write does not name its file. */
function fullFolder(argv: string[], { cwd, env }: Io): string {
  const option = argv.findIndex((arg) => /^--runs-dir(=|$)/.test(arg));
  const runsDir = argv[option]?.split("=")[1] ?? argv[option + 1] ?? "runs";
  const runs = resolve(cwd, option < 0 ? "runs" : runsDir);
  const folders = [cwd, runs, cacheDir(env), tmpdir()].filter((folder) => existsSync(folder));
  const free = (folder: string): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  return folders.reduce((least, folder) => (free(folder) < free(least) ? folder : least), cwd);
}

/** Reports a bug: one line on the terminal, the stack trace in a file. */
function unexpected(error: unknown, terminal: Terminal, env: NodeJS.ProcessEnv): number {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  let where = "";
  try {
    const folder = cacheDir(env);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "errors.log");
    appendFileSync(file, `${new Date().toISOString()} ${text}\n`);
    where = `; details are in ${file}`;
  } catch {
    // The cache is not writable: only the line below is shown.
  }
  terminal.info(`internal error: ${error instanceof Error ? error.message.split("\n")[0] : text}${where}`);
  return EXIT.internal;
}
