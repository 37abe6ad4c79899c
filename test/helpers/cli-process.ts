import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { until } from "./processes.ts";

/** The built command in a separate process, so that it can receive signals. */
export interface CliProcess {
  child: ChildProcessByStdio<null, Readable, Readable>;
  out(): string;
  err(): string;
  /** Exit code or signal. */
  ended: Promise<number | NodeJS.Signals | null>;
  /** Waits for a text on stdout or stderr. @throws with both outputs if the process ends without it. */
  prints(text: string | RegExp): Promise<void>;
}

/** @param launcher programs that start the command, such as `nohup`. */
export function startCli(
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  launcher: string[] = [],
): CliProcess {
  const [program = "", ...rest] = [...launcher, join(packageRoot, "bin/cliprpn.js"), ...args];
  const child = spawn(program, rest, {
    cwd,
    env: { ...process.env, _: undefined, ...env }, // `_` is nohup when nohup started the tests.
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  let hasEnded = false;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on("close", (code, signal) => {
      hasEnded = true;
      resolve(code ?? signal);
    }),
  );
  return {
    child,
    out: () => output.out,
    err: () => output.err,
    ended,
    prints: async (text) => {
      const isPrinted = (): boolean => [output.out, output.err].some((all) => all.search(text) >= 0);
      await until(() => hasEnded || isPrinted());
      if (!isPrinted())
        throw new Error(`the command ended without printing ${text}:\n${output.out}\n${output.err}`);
    },
  };
}
