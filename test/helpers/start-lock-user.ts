import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { until } from "./processes.ts";

/** A process that uses a lock; see lock-user.ts. */
export interface LockUser {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** What it has printed. */
  readonly lines: string[];
  /** Waits until it prints this line. */
  says(line: string): Promise<void>;
}

/** Starts a process that uses the lock of a folder; it is killed at the end of the test. */
export function startUser(folder: string, ...args: string[]): LockUser {
  const script = join(packageRoot, "test/helpers/lock-user.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, folder, ...args], {
    cwd: packageRoot,
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const user = {
    child,
    get lines(): string[] {
      return text.split("\n").slice(0, -1);
    },
    says: async (line: string): Promise<void> => {
      await until(() => user.lines.includes(line) || child.exitCode !== null);
      expect(user.lines).toContain(line);
    },
  };
  return user;
}
