import type { Worker } from "../../worker/worker.ts";

/** On abort, asks the worker's call to stop, and kills the worker after the grace time. @returns a function that cancels both. */
export function stopOnAbort(worker: Worker, signal: AbortSignal, graceMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    worker.askToStop();
    timer = setTimeout(() => void worker.kill(), graceMs);
  };
  signal.addEventListener("abort", stop);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  };
}
