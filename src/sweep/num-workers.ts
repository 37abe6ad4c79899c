/** What the number of workers depends on. */
export interface WorkerRequest {
  /** As the person asked for it; undefined for the number that suits the machine. */
  requested: number | undefined;
  /** The device of the trials, as Python resolved it. */
  device: string;
  /** Trials that have to run. */
  numTrials: number;
  /** CPU threads of each trial. */
  numThreads: number;
}

/** The machine that runs the workers. */
export interface Machine {
  numCores: number;
  freeBytes: number;
}

/** The number of trials to run at the same time, at least 1: on a CPU as many as its cores and its memory allow, else one. */
export function chooseNumWorkers(
  { requested, device, numTrials, numThreads }: WorkerRequest,
  { numCores, freeBytes }: Machine,
): number {
  if (requested !== undefined) return Math.max(1, Math.min(requested, numTrials));
  if (device !== "cpu") return 1;
  // The first worker is running, so it does not count as free memory.
  const fitsInMemory = 1 + Math.floor(Math.max(0, freeBytes) / workerBytes);
  return Math.max(1, Math.min(Math.floor(numCores / numThreads), fitsInMemory, numTrials));
}

/** Peak memory of a worker on the demo: measured 2.2 GB, of which the pages of the features are shared. */
const workerBytes = 2e9;
