import type {
  BridgeMethods,
  KeepModels,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
} from "../contract/generated/types.ts";

/** One run of a trial, in a new folder that only its worker writes to. */
export interface Attempt {
  spec: TrialSpec;
  /** Counted from 1 for each trial. */
  number: number;
  folder: string;
  logFile: string;
  keep_models: KeepModels;
  /** The person's file of a custom fusion, for messages; the trial runs a copy of it. */
  fusionFile?: string;
  /** The outcome that its worker wrote, if it got that far. */
  outcome(): TrialOutcome | undefined;
}

/** Decides what runs next. */
export interface AttemptSource {
  /** Number of trials that may still have to run; 0 when nothing is left. */
  readonly numWaiting: number;
  /**
   * The next attempt for a free slot; undefined when nothing is left. May wait.
   *
   * @param signal ends the wait with its reason; no attempt begins after it.
   */
  next(signal: AbortSignal): Promise<Attempt | undefined>;
}

/** Receives the changes of state of the attempts that an engine runs. */
export interface AttemptWatcher {
  started(attempt: Attempt, slot: number): void;
  event(attempt: Attempt, slot: number, event: TrialEvent): void;
  /**
   * @param outcome of the worker, or a failure that the engine decided and that no file records; undefined if the attempt was
   *   interrupted.
   */
  finished(
    attempt: Attempt,
    slot: number,
    outcome: TrialOutcome | undefined,
    duration_ms: number,
  ): void | Promise<void>;
}

/** Runs trials. The only implementation, LocalEngine, runs them on this machine. */
export interface Engine {
  /**
   * Runs every attempt of the source to an outcome; a failed one does not stop the others. Stops cleanly when the signal is
   * aborted.
   *
   * @param numSlots attempts that run at the same time.
   * @throws CliprpnError for faults of the machine (no worker starts, the disk is full), after the running attempts have ended.
   */
  run(source: AttemptSource, watcher: AttemptWatcher, numSlots: number, signal: AbortSignal): Promise<void>;
  /** Calls one bridge method on a worker. @throws CliprpnError with Python's error code; interrupted. */
  call<M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
    options?: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal },
  ): Promise<BridgeMethods[M]["result"]>;
  /** The device, as Python resolved it. */
  device(): Promise<string>;
  close(): Promise<void>;
}
