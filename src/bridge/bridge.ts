import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";

/** One Python process, reached by text: a call at a time, and one-way news while it runs. */
export interface Bridge {
  /** Python's process id. */
  pid: number;
  /** @returns an envelope, as JSON. Never answers once Python has died: watch `onExit`. */
  call(method: string, params: string): Promise<string>;
}

export interface BridgeOptions {
  python: string;
  /** Folder that holds the package `cliprpn`. */
  pythonPath: string;
  /** Python module with `start()` and `handle(method, params)`: `cliprpn.bridge.runtime`. */
  module: string;
  onEvent: (text: string) => void;
  /** Python could not be started, or is gone. */
  onExit: (reason: string) => void;
}

/** What pythonia's own types leave out; its object proxies are not used beyond two functions of one module. */
interface Pythonia {
  com: { proc: ChildProcess; register(channel: string, handler: (message: { text: string }) => void): void };
  python(
    module: string,
  ): Promise<{ start(): Promise<string>; handle(method: string, params: string): Promise<string> }>;
}

/**
 * Starts Python. Only one bridge a Node process: pythonia starts its Python when it is imported, and one process's NaN or exit
 * would take the others down.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  process.env.PYTHON_BIN = options.python;
  process.env.PYTHONPATH = options.pythonPath;
  process.env.REQ_TIMEOUT = "0"; // The only value that pythonia reads as "no limit".
  // By require, so that the listeners are there before a failed start is reported.
  const { com, python }: Pythonia = createRequire(import.meta.url)("pythonia");
  com.proc.on("error", (error) => options.onExit(`Python could not be started: ${error.message}`));
  com.proc.on("exit", (code, signal) =>
    options.onExit(
      signal === null ? `Python ended with exit code ${code}` : `Python was ended by ${told(signal)}`,
    ),
  );
  com.register("cliprpn.event", ({ text }) => options.onEvent(text));
  const runtime = await python(options.module);
  const pid = Number(await runtime.start());
  return { pid, call: (method, params) => runtime.handle(method, params) };
}

function told(signal: NodeJS.Signals): string {
  return signal === "SIGKILL" ? "SIGKILL, as the system does when memory is short" : signal;
}
