import type { Told } from "../../engine/launcher.ts";
import type { NewEntry } from "../../store/journal.ts";
import type { AttemptWatcher } from "../view/attempt-watcher.ts";

/** Writes what becomes of workers into the journal, and has it shown. */
export class WorkerRecords {
  readonly #record: (entry: NewEntry) => void;
  readonly #watcher: AttemptWatcher;
  /** Why there are not more workers, as it was last recorded, without its numbers. */
  #missing: string | undefined;

  constructor(record: (entry: NewEntry) => void, watcher: AttemptWatcher) {
    this.#record = record;
    this.#watcher = watcher;
  }

  told(told: Told): void {
    if (told.type === "capacity" && told.numWorkers !== undefined) {
      this.#recordMissing(told.numWorkers, told.reason);
      this.#watcher.capacity?.(told.numWorkers, told.reason);
    }
    if (told.type === "worker") {
      const { type: _, ...change } = told;
      this.#record({ type: "worker_changed", ...change });
      this.#watcher.workerChanged?.(told.worker, told.state, told.reason);
    }
    if (told.type === "renewed")
      this.#record({ type: "worker_renewed", slot: told.slot, reason: told.reason });
  }

  /** @param slot undefined on other machines. */
  lostAtStart(slot: number | undefined, message: string): void {
    if (slot !== undefined) this.#record({ type: "worker_renewed", slot, reason: message });
    this.#watcher.lostAtStart?.(message);
  }

  /** Numbers in the reason change all the time. */
  #recordMissing(num_workers: number, reason: string | undefined): void {
    const kind = reason?.replaceAll(/\d+/g, "#");
    if (kind === this.#missing) return;
    this.#missing = kind;
    this.#record({ type: "workers_missing", num_workers, reason: reason ?? null });
  }
}
