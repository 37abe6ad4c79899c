import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "../base/output-tail.ts";
import { killGroup } from "../base/process-group.ts";
import type { SweepNotice } from "../contract/generated/types.ts";
import type { RunContext } from "./run-context.ts";
import { type EndedSweep, sweepNotice } from "./sweep-notice.ts";

/** Runs the command of --notify, if there is one, at the end of a run of a sweep. Whatever it does changes nothing but messages. */
export async function notifyEnd(ended: EndedSweep, run: Pick<RunContext, NeededContext>): Promise<void> {
  if (run.notify === undefined) return;
  run.terminal.liveDone();
  try {
    await notify(run.notify, sweepNotice(ended), run);
  } catch (error) {
    run.terminal.warn(`--notify: ${error instanceof Error ? error.message : String(error)}`);
  }
}

type NeededContext = "env" | "cwd" | "terminal" | "signal" | "notify";

/**
 * Runs a person's command in a shell, with the notice as JSON on standard input and in environment variables: nothing is inserted into
 * the command. It is stopped after a while, and by Ctrl-C.
 */
export async function notify(
  command: string,
  notice: SweepNotice,
  { env, cwd, terminal, signal }: Pick<RunContext, NeededContext>,
  timeoutMs: number = defaultTimeoutMs,
): Promise<void> {
  const child = spawn("/bin/sh", ["-c", command], {
    env: { ...env, ...variables(notice) },
    cwd,
    detached: true,
    stdio: "pipe",
  });
  let stopped: string | undefined;
  const stop = (why: string): void => {
    stopped ??= why;
    killGroup(child.pid);
  };
  const onAbort = (): void => stop("was interrupted");
  const onExit = (): void => stop("");
  process.once("exit", onExit); // A second Ctrl-C ends this process at once.
  signal.addEventListener("abort", onAbort);
  const timer = setTimeout(() => stop(`still ran after ${timeoutMs / 1000} s, and was stopped`), timeoutMs);
  terminal.live(["running the command of --notify"]);
  try {
    const output = tailOf(child);
    child.stdin.on("error", () => undefined); // It need not read it.
    child.stdin.end(JSON.stringify(notice));
    const failure = await ended(child);
    const lines = lastLines(output());
    const rest = lines === "" ? "" : `: ${lines}`;
    if (stopped !== undefined) terminal.warn(`--notify: the command ${stopped}${rest}`);
    else if (failure !== undefined) terminal.warn(`--notify: the command ended with ${failure}${rest}`);
    else if (lines !== "") terminal.info(`--notify: ${lines}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    process.off("exit", onExit);
    terminal.liveDone();
    for (const stream of child.stdio) stream?.destroy();
  }
}

/** What the command gets in place of the JSON; empty where there is nothing to say. */
function variables(notice: SweepNotice): Record<string, string> {
  const { sweep, folder, state, exit_code, message, num_trials, num_completed, num_failed } = notice;
  const { best, report_file, duration_ms } = notice;
  const values = {
    SWEEP: sweep,
    FOLDER: folder,
    STATE: state,
    EXIT_CODE: exit_code,
    MESSAGE: message,
    NUM_TRIALS: num_trials,
    NUM_COMPLETED: num_completed,
    NUM_FAILED: num_failed,
    BEST: best?.label,
    BEST_ACC_AT_50: best?.acc_at_50.mean,
    REPORT_FILE: report_file,
    DURATION_MS: Math.round(duration_ms),
  };
  return Object.fromEntries(
    // A variable has no NUL, and at most 128 KB on Linux.
    Object.entries(values).map(([name, value]) => [
      `CLIPRPN_${name}`,
      String(value ?? "")
        .replaceAll("\0", "")
        .slice(0, maxLength),
    ]),
  );
}

const maxLength = 10_000;
const defaultTimeoutMs = 30_000;
/** Time to read the output of a command that has ended; a process that it left may keep the pipes open. */
const drainMs = 500;

/** Reads the output. @returns its end, when called. */
function tailOf({ stdout, stderr }: ChildProcessWithoutNullStreams): () => string {
  let output = "";
  for (const stream of [stdout, stderr])
    stream.on("data", (data) => {
      output = (output + String(data)).slice(-maxLength);
    });
  return () => output;
}

/** @returns how it failed; undefined if it did not. */
async function ended(child: ChildProcess): Promise<string | undefined> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const failure = await new Promise<string | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      resolve(code === 0 ? undefined : code === null ? `signal ${signal}` : `exit code ${code}`),
    );
  });
  await Promise.race([closed, sleep(drainMs)]);
  return failure;
}
