import { Worker, type WorkerOptions } from "../../worker/worker.ts";

/** Options of all workers of a pool; what it decides itself is left out. */
export type PoolOptions = Omit<WorkerOptions, "device">;

/** Warm workers of this machine: one that is given back is used again, since its start takes seconds. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Worker>();
  readonly #idle: { worker: Worker; device: string | null }[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A worker that nobody else uses: an idle one of this device, else a new one.
   *
   * @param device null for a worker without torch; one with torch serves, too, if it is idle.
   * @throws CliprpnError as `Worker.start`.
   */
  async take(device: string | null, signal: AbortSignal): Promise<Worker> {
    for (;;) {
      const index = this.#idle.findIndex((each) => device === null || each.device === device);
      const [found] = index === -1 ? [] : this.#idle.splice(index, 1);
      if (found === undefined) break;
      if (found.worker.alive) return found.worker;
      await this.end(found.worker);
    }
    const worker = await Worker.start({ ...this.#options, device, signal });
    this.#all.add(worker);
    return worker;
  }

  /** @param device as it was taken with. */
  giveBack(worker: Worker, device: string | null): void {
    this.#idle.push({ worker, device });
  }

  /** Ends a worker that was taken. */
  async end(worker: Worker): Promise<void> {
    await worker.kill();
    this.#all.delete(worker);
  }

  /** Ends the workers that were given back. */
  async endIdle(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ worker }) => this.end(worker)));
  }

  /** Ends all workers, also those that are in use. */
  async close(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#all].map((worker) => this.end(worker)));
  }
}
