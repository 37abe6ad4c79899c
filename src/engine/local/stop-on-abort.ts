import type { Worker } from "../../worker/worker.ts";

/** On an abort asks the worker's call to stop, and ends the worker when it has not within the grace time. @returns what forgets all that. */
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
