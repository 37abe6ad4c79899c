import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { Arguments, type Context, runContext } from "../../src/commands/command.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { LocalEngine, type LocalEngineOptions } from "../../src/engine/local/local-engine.ts";
import { cacheFolders } from "../../src/environment/cache-folders.ts";
import { main } from "../../src/main.ts";
import { openEngine } from "../../src/sweep/open-engine.ts";
import { prepareTrials } from "../../src/sweep/prepare/prepare-trials.ts";
import { readPlan } from "../../src/sweep/read-plan.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { testPython } from "./python.ts";

/** The exit code of a command (null if a signal ended it), and its output. */
export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command in this process. The commands of a test file share warm workers, as importing torch takes seconds. */
export async function cliprpn(
  argv: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const { streams, output } = recordedStreams();
  const { signal } = new AbortController();
  const io = { ...streams, cwd, signal, env: withCheckedPython(env), platform: process.platform };
  const code = await main(argv, { ...io, startEngine: warmEngine });
  return { code, ...output() };
}

/** Runs a command with the Python of the tests. */
export function cliprpnWithPython(
  argv: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  return cliprpn([...argv, "--python", testPython()], cwd, env);
}

/** The steps of `sweep FILE` before its first trial: checks the experiment and prepares its datasets. @returns the messages. @throws CliprpnError. */
export async function prepareSweep(file: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { streams, output } = recordedStreams();
  const context: Context = {
    terminal: makeTerminal(streams),
    cwd,
    commandLine: "",
    signal: new AbortController().signal,
    env: withCheckedPython(env),
    startEngine: warmEngine,
  };
  const run = runContext(new Arguments({ python: testPython() }), context);
  const { plan, dataset, targets } = await readPlan(file, [], run);
  await prepareTrials(plan.trials, plan.trials, dataset, await openEngine(run, plan.trials), run, targets);
  return output().err;
}

/** The check of an interpreter imports torch, too: once for the caches of all tests. */
function withCheckedPython(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const cache = env.CLIPRPN_CACHE;
  if (cache !== undefined && !existsSync(join(cache, "own-python"))) {
    const shared = join(cacheFolders(process.env).own, "own-python");
    for (const folder of [shared, cache]) mkdirSync(folder, { recursive: true });
    symlinkSync(shared, join(cache, "own-python"), "junction");
  }
  return { ...process.env, ...env };
}

const engines = new Map<string, LocalEngine>();

afterAll(() => Promise.all([...engines.values()].map((engine) => engine.close())));

/** An engine that stays open; commands with the same options share it. */
function warmEngine({ signal: _, ...options }: LocalEngineOptions): Engine {
  const { logFile: _log, ...kind } = options; // Every command has another log.
  const key = JSON.stringify(kind);
  const engine = engines.get(key) ?? new LocalEngine(options);
  engines.set(key, engine);
  return {
    call: engine.call.bind(engine),
    device: engine.device.bind(engine),
    launch: engine.launch.bind(engine),
    close: () => Promise.resolve(),
  };
}

function recordedStreams() {
  const out: string[] = [];
  const err: string[] = [];
  return {
    streams: {
      stdout: { write: (text: string) => void out.push(text) },
      stderr: { write: (text: string) => void err.push(text) },
    },
    output: () => ({ out: out.join(""), err: err.join("") }),
  };
}
