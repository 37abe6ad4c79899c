import { join } from "node:path";
import { version } from "../../src/base/package-root.ts";
import { Arguments, type Command, type Context, runContext } from "../../src/commands/command.ts";
import { dataset } from "../../src/commands/dataset.ts";
import { prepare } from "../../src/commands/prepare.ts";
import { runCommand } from "../../src/commands/register.ts";
import { commands } from "../../src/commands/table.ts";
import { CliprpnError, exitCodeOf } from "../../src/contract/errors.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { preflight } from "../../src/sweep/preflight.ts";
import { readPlan } from "../../src/sweep/read-plan.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import type { Said } from "./cli.ts";
import { testPython } from "./python.ts";

/** One Python process for all `prepare` and `dataset` commands of a test file; each start of Python takes seconds. */
export interface SharedEngine {
  engine: Engine;
  /** Runs a command line of `prepare` or `dataset` in this process. */
  run(argv: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Said>;
  /** What `sweep` does before its first trial: checks the experiment and prepares its dataset. @throws CliprpnError. */
  preflight(file: string, cwd: string, env: NodeJS.ProcessEnv): Promise<void>;
}

export function sharedEngine(folder: string): SharedEngine {
  const engine = new LocalEngine({
    python: testPython(),
    device: "cpu",
    numThreads: 1,
    numSlots: 1,
    logFile: join(folder, "worker.log"),
  });
  const open = async (): Promise<Engine> => ({
    run: engine.run.bind(engine),
    call: engine.call.bind(engine),
    device: engine.device.bind(engine),
    close: async () => undefined,
  });
  const handlers: Record<string, Awaited<ReturnType<Command["load"]>>> = {
    prepare: (args, context) => prepare(args, context, open),
    dataset: (args, context) => dataset(args, context, open),
  };
  const rows = commands.flatMap((row) => {
    const handler = handlers[row.usage.split(" ")[0] ?? ""];
    return handler === undefined ? [] : [{ ...row, load: async () => handler }];
  });
  return {
    engine,
    run: (argv, cwd, env) => runRows(rows, argv, cwd, env),
    preflight: async (file, cwd, env) => {
      const run = runContext(new Arguments({}), makeContext(cwd, env).context);
      const { plan, dataset } = await readPlan(file, [], run);
      await preflight(plan.trials, dataset, engine, run);
    },
  };
}

async function runRows(rows: Command[], argv: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Said> {
  const { context, out, err } = makeContext(cwd, env);
  const code = await runCommand(rows, argv, context, version).catch((error) => {
    if (!(error instanceof CliprpnError)) throw error;
    context.terminal.info(error.message);
    return exitCodeOf(error.code);
  });
  return { code, out: out.join(""), err: err.join("") };
}

function makeContext(
  cwd: string,
  env: NodeJS.ProcessEnv,
): { context: Context; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = makeTerminal({
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
  });
  const signal = new AbortController().signal;
  return {
    context: { terminal, cwd, commandLine: "", signal, env: { ...process.env, ...env } },
    ...{ out, err },
  };
}
