import type { ChildProcess } from "node:child_process";
import { createRequire } from "node:module";

/** A Python process that exchanges text: one call at a time, one-way events during a call. */
export interface Bridge {
  /** Python's process id. */
  pid: number;
  /** @returns an envelope, as JSON. Never settles after Python has died: watch `onExit`. */
  call(method: string, params: string): Promise<string>;
}

export interface BridgeOptions {
  python: string;
  /** Folders of modules that Python finds first: the one of the package `cliprpn`. Any name, also with a colon. */
  modulePath: string[];
  /** Folders of modules that Python finds last. */
  extraModulePath: string[];
  /** Python module with `start()` and `handle(method, params)`: `cliprpn.bridge.runtime`. */
  module: string;
  onEvent: (text: string) => void;
  /** Python could not start, or has ended. @param signal that ended it, if one did. */
  onExit: (reason: string, signal?: NodeJS.Signals) => void;
}

/** The part of pythonia that is used: two functions of one module, and its process. */
interface Pythonia {
  com: { proc: ChildProcess; register(channel: string, handler: (message: { text: string }) => void): void };
  python(
    module: string,
  ): Promise<{ start(): Promise<string>; handle(method: string, params: string): Promise<string> }>;
  py: { exec(code: TemplateStringsArray, ...values: string[]): Promise<unknown> };
}

/**
 * Starts Python. One bridge per Node process: pythonia starts Python when it is imported, and a NaN or an exit in one bridge
 * would end all of them.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  process.env.PYTHON_BIN = options.python;
  process.env.REQ_TIMEOUT = "0"; // The only value that pythonia reads as "no limit".
  // By require, so that the listeners exist before a failed start is reported.
  const { com, python, py }: Pythonia = createRequire(import.meta.url)("pythonia");
  com.proc.on("error", (error) => {
    const report = (): void => options.onExit(`Python could not be started: ${error.message}`);
    // The pipe of a Python that has just ended: its exit, which follows, says why.
    if ("code" in error && error.code === "EPIPE") setTimeout(report, 1000);
    else report();
  });
  com.proc.on("exit", (code, signal) =>
    signal === null
      ? options.onExit(`Python exited with code ${code}`)
      : options.onExit(`Python was killed by ${signal}`, signal),
  );
  com.register("cliprpn.event", ({ text }) => options.onEvent(text));
  // Not by PYTHONPATH, which is split at colons.
  await py.exec`import json, sys; sys.path[:0] = json.loads(${JSON.stringify(options.modulePath)})`;
  await py.exec`import json, sys; sys.path += json.loads(${JSON.stringify(options.extraModulePath)})`;
  const runtime = await python(options.module);
  const pid = Number(await runtime.start());
  return { pid, call: (method, params) => runtime.handle(method, params) };
}
