import { join } from "node:path";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { recordingTerminal } from "./recording-terminal.ts";

/** The context of a command in a folder, with its own cache and runs folder. */
export function contextIn(work: string, terminal = recordingTerminal()): RunContext {
  return {
    terminal,
    cwd: work,
    env: { CLIPRPN_CACHE: join(work, "cache") },
    signal: new AbortController().signal,
    commandLine: "cliprpn made",
    runsDir: join(work, "runs"),
    device: "cpu",
    python: undefined,
    numWorkers: 1,
    trialTimeoutMs: undefined,
    trustWeights: false,
    acceptStale: false,
    rerunStale: false,
    retryFailed: false,
    json: false,
  };
}
