import { CliprpnError } from "../../contract/errors.ts";
import type { ErrorCode, PreparationOutcome, WorkerMemory } from "../../contract/generated/types.ts";
import type { Worker } from "../../worker/worker.ts";
import type { Attempt, AttemptEnd, Launcher, Preparation, PrepareOptions, Told } from "../launcher.ts";
import { endAfterError } from "./attempt-end.ts";
import { type RenewalRules, WorkerUse } from "./renewal.ts";
import { stopOnAbort } from "./stop-on-abort.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface LocalLauncherOptions {
  /** The device of each slot. */
  devices: readonly string[];
  tell: (told: Told) => void;
  /** Time that an attempt gets to stop before its worker is killed. */
  graceMs: number;
  /** An attempt that takes longer is ended. */
  trialTimeoutMs?: number;
  renewal?: RenewalRules;
}

/** Runs one attempt at a time on each device, or on each slot of a device. */
interface Slot {
  index: number;
  device: string;
  worker?: Worker;
  /** What its worker has done. */
  use: WorkerUse;
  isStarting: boolean;
  attempt?: Attempt;
  /** Cancels the attempt. */
  cancel: AbortController;
}

/** Runs attempts on warm workers on this machine, one in each slot. */
export class LocalLauncher implements Launcher {
  readonly #workers: WorkerPool;
  readonly #options: LocalLauncherOptions;
  readonly #slots: Slot[];
  readonly #closed = new AbortController();
  /** What still runs. */
  readonly #work = new Set<Promise<void>>();
  #isPreparing = false;

  constructor(workers: WorkerPool, options: LocalLauncherOptions) {
    this.#workers = workers;
    this.#options = options;
    this.#slots = options.devices.map((device, index) => ({
      index,
      device,
      use: new WorkerUse(),
      isStarting: false,
      cancel: new AbortController(),
    }));
  }

  /** Workers end with the process that started them. */
  async attach(): Promise<void> {}

  want(numAttempts: number): void {
    if (this.#isPreparing) return; // It uses the cores of all slots, and workers start within seconds.
    const ready = this.#slots.filter(({ worker, isStarting }) => worker !== undefined || isStarting);
    const missing = this.#slots.filter(({ worker, isStarting }) => worker === undefined && !isStarting);
    for (const slot of missing.slice(0, Math.max(0, numAttempts - ready.length)))
      this.#follow(this.#start(slot));
  }

  submit(attempt: Attempt): void {
    const slot = this.#slots.find((each) => each.worker !== undefined && each.attempt === undefined);
    if (slot?.worker === undefined)
      throw new CliprpnError("internal", "expected at most as many attempts as there is capacity for");
    slot.attempt = attempt;
    slot.cancel = new AbortController();
    this.#follow(this.#run(attempt, slot, slot.worker));
  }

  cancel(attempt: Attempt): void {
    this.#slots.find((slot) => slot.attempt === attempt)?.cancel.abort();
  }

  /** On a worker that a slot gets afterwards. */
  async prepare(
    preparation: Preparation,
    { signal, onStarted, onEvent }: PrepareOptions,
  ): Promise<AttemptEnd<PreparationOutcome>> {
    const { spec, folder, numLanes, logFile } = preparation;
    const [device = "auto"] = this.#options.devices;
    this.#isPreparing = true;
    try {
      const worker = await this.#workers.take(device, AbortSignal.any([signal, this.#closed.signal]));
      const removeListener = stopOnAbort(worker, signal, this.#options.graceMs);
      try {
        signal.throwIfAborted();
        onStarted();
        const params = { spec, folder, num_lanes: numLanes };
        const { outcome } = await worker.call("run_preparation", params, { logFile, onEvent });
        return { how: "outcome", outcome };
      } finally {
        removeListener();
        this.#workers.giveBack(worker, device);
      }
    } catch (error) {
      return endAfterError(preparation, error, signal);
    } finally {
      this.#isPreparing = false;
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const busy = this.#slots.filter((slot) => slot.attempt !== undefined);
    await Promise.all(busy.map(({ worker }) => worker?.kill()));
    await Promise.all(this.#work);
    // One worker stays warm for what comes next.
    const [kept, ...others] = this.#slots.filter(({ worker }) => worker?.alive);
    if (kept?.worker !== undefined) this.#workers.giveBack(kept.worker, kept.device);
    await Promise.all(others.map(({ worker }) => worker && this.#workers.end(worker)));
  }

  async #start(slot: Slot): Promise<void> {
    slot.isStarting = true;
    try {
      slot.worker = await this.#workers.take(slot.device, this.#closed.signal);
      slot.use = new WorkerUse();
    } catch (error) {
      this.#tell({ type: "fault", error, slot: slot.index });
    } finally {
      slot.isStarting = false;
    }
    this.#tellCapacity();
  }

  async #run(attempt: Attempt, slot: Slot, worker: Worker): Promise<void> {
    this.#tell({ type: "started", attempt, slot: slot.index });
    const { end, memory } = await this.#endOf(attempt, slot, worker);
    const isLost = isSuspect(end) || !worker.alive;
    const reason = slot.use.ended(memory, this.#options.renewal);
    if (!isLost && reason !== undefined) {
      worker.note(`this process is replaced by a new one: ${reason}`);
      this.#tell({ type: "renewed", slot: slot.index, reason });
    }
    if (isLost || reason !== undefined) {
      delete slot.worker;
      await this.#workers.end(worker);
    }
    delete slot.attempt;
    this.#tellCapacity();
    this.#tell({ type: "ended", attempt, end });
  }

  async #endOf(
    attempt: Attempt,
    slot: Slot,
    worker: Worker,
  ): Promise<{ end: AttemptEnd; memory?: WorkerMemory | null | undefined }> {
    const { trialTimeoutMs: timeoutMs, graceMs } = this.#options;
    const { spec, folder, keep_models, checkpoint_minutes, logFile, fusionFile } = attempt;
    const resume_from = [...(attempt.resume_from ?? [])];
    const { signal } = slot.cancel;
    const removeListener = stopOnAbort(worker, signal, graceMs);
    const dump =
      timeoutMs === undefined ? undefined : setTimeout(() => worker.logTraceback(), timeoutMs - dumpMs);
    try {
      const { outcome, memory } = await worker.call(
        "run_trial",
        {
          spec,
          folder,
          keep_models,
          resume_from,
          checkpoint_minutes: checkpoint_minutes ?? 0,
          ...(fusionFile === undefined ? {} : { fusion_file: fusionFile }),
        },
        {
          logFile,
          onEvent: (event) => this.#tell({ type: "event", attempt, event }),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      );
      return { end: { how: "outcome", outcome }, memory };
    } catch (error) {
      return { end: endAfterError(attempt, error, signal) };
    } finally {
      clearTimeout(dump);
      removeListener();
    }
  }

  #tellCapacity(): void {
    const numSlots = this.#slots.filter(({ worker }) => worker !== undefined).length;
    this.#tell({ type: "capacity", numSlots });
  }

  #tell(told: Told): void {
    if (!this.#closed.signal.aborted) this.#options.tell(told);
  }

  #follow(work: Promise<void>): void {
    const followed = work
      .catch((error) => this.#tell({ type: "fault", error }))
      .finally(() => this.#work.delete(followed));
    this.#work.add(followed);
  }
}

/** How long before its time limit a trial writes into its log where it is. */
const dumpMs = 500;

/** True if the worker has to be replaced: an error of the device or a partial import may affect the next trial. */
function isSuspect(end: AttemptEnd): boolean {
  if (end.how === "outcome")
    return end.outcome.state === "failed" && suspect.includes(end.outcome.error.code);
  return end.how === "error" && suspect.includes(end.error.code);
}

const suspect: ErrorCode[] = ["internal", "fusion_invalid", "out_of_memory", "contract_violation"];
