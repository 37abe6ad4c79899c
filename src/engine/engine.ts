import type { BridgeMethods, TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";

/** Receives the changes of state of the trials that an engine runs. */
export interface TrialWatcher {
  started(spec: TrialSpec, slot: number): void;
  event(spec: TrialSpec, slot: number, event: TrialEvent): void;
  /** Without an outcome the trial was interrupted; the next run starts it from the beginning. */
  finished(spec: TrialSpec, slot: number, outcome: TrialOutcome | undefined, duration_ms: number): void;
}

/** The files of trials. */
export interface TrialFolders {
  trialDir(trial_id: string): string;
  logFile(trial_id: string): string;
  /** Outcome of a finished trial, read from its file. */
  outcome(trial_id: string): TrialOutcome | undefined;
  writeOutcome(outcome: TrialOutcome): void;
  /** @returns the name of the file. */
  writeTraceback(trial_id: string, traceback: string): string;
}

/** Runs trials. The only implementation, LocalEngine, runs them on this machine. */
export interface Engine {
  /**
   * Runs every trial to an outcome; a failed trial does not stop the others. Stops cleanly when the signal is aborted.
   *
   * @throws CliprpnError for faults of the machine (no worker starts, the disk is full), after the running trials have ended.
   */
  run(trials: TrialSpec[], folders: TrialFolders, watcher: TrialWatcher, signal: AbortSignal): Promise<void>;
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
