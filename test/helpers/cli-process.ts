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
  says(text: string | RegExp): Promise<void>;
}

export function startCli(args: string[], cwd: string, env: NodeJS.ProcessEnv): CliProcess {
  const child = spawn(process.execPath, [join(packageRoot, "bin/cliprpn.js"), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  let over = false;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on("close", (code, signal) => {
      over = true;
      resolve(code ?? signal);
    }),
  );
  return {
    child,
    out: () => said.out,
    err: () => said.err,
    ended,
    says: async (text) => {
      const found = (): boolean => [said.out, said.err].some((all) => all.search(text) >= 0);
      await until(() => over || found());
      if (!found()) throw new Error(`it ended without printing ${text}:\n${said.out}\n${said.err}`);
    },
  };
}
