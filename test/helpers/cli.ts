import { afterAll } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { LocalEngine, type LocalEngineOptions } from "../../src/engine/local/local-engine.ts";
import { main } from "../../src/main.ts";

/** The exit code of a command, and what it wrote to stdout and stderr. */
export interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs a command in this process. The commands of a test file share warm workers, as importing torch takes seconds. */
export async function cliprpn(argv: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(argv, {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    cwd,
    env: { ...process.env, ...env },
    platform: process.platform,
    signal: new AbortController().signal,
    startEngine: warmEngine,
  });
  return { code, out: out.join(""), err: err.join("") };
}

const engines = new Map<string, LocalEngine>();

afterAll(() => Promise.all([...engines.values()].map((engine) => engine.close())));

/** An engine that stays open; commands with the same options share it. */
function warmEngine({ signal: _, ...options }: LocalEngineOptions): Engine {
  const key = JSON.stringify(options);
  const engine = engines.get(key) ?? new LocalEngine(options);
  engines.set(key, engine);
  return {
    run: engine.run.bind(engine),
    call: engine.call.bind(engine),
    device: engine.device.bind(engine),
    close: () => Promise.resolve(),
  };
}
