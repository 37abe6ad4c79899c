import { CliprpnError, isInterruption } from "../../contract/errors.ts";
import type { ErrorCode } from "../../contract/generated/types.ts";
import type { Worker } from "../../worker/worker.ts";

/** On abort, asks the worker's call to stop, and kills the worker after the grace time. @returns a function that cancels both. */
export function stopOnAbort(worker: Worker, signal: AbortSignal, graceMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    worker.askToStop();
    timer = setTimeout(() => worker.kill().catch(ignore), graceMs);
  };
  signal.addEventListener("abort", stop);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  };
}

/** A worker that cannot be killed: its call, which is still awaited, ends with an error of its own. */
const ignore = (): void => undefined;

/**
 * True for errors that are consequences of an abort: a worker that does not stop in time is killed, and a signal to all
 * processes of a job ends workers, too.
 */
export function isStopped(error: unknown, signal: AbortSignal): boolean {
  if (isInterruption(error, signal)) return true;
  return signal.aborted && error instanceof CliprpnError && isWorkerLost(error.code);
}

function isWorkerLost(code: ErrorCode): boolean {
  return code === "worker_died" || code === "worker_killed";
}
