import type { BridgeMethods, TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";

type Method = keyof BridgeMethods;

/** What an engine tells while it runs trials. */
export interface TrialWatcher {
  started(spec: TrialSpec, slot: number): void;
  event(spec: TrialSpec, slot: number, event: TrialEvent): void;
  /** `undefined`: interrupted, with no outcome; the trial starts again next time. */
  finished(spec: TrialSpec, slot: number, outcome: TrialOutcome | undefined, duration_ms: number): void;
}

/** Where trials find and leave their files. */
export interface TrialFolders {
  trialDir(trial_id: string): string;
  logFile(trial_id: string): string;
  /** What the trial has come to; undefined before. The file is the truth. */
  outcome(trial_id: string): TrialOutcome | undefined;
  writeOutcome(outcome: TrialOutcome): void;
  /** @returns the file's name. */
  writeTraceback(trial_id: string, traceback: string): string;
}

/** Runs trials somewhere: on this machine for now. */
export interface Engine {
  /**
   * Runs every trial to an outcome; a failing one stops nothing. Ends early, in order, once the signal is aborted.
   *
   * @throws CliprpnError for what is the machine's fault (no worker comes up, a full disk), once the trials that run have ended.
   */
  run(trials: TrialSpec[], folders: TrialFolders, watcher: TrialWatcher, signal: AbortSignal): Promise<void>;
  /** One-off work on the same kind of worker. @throws CliprpnError with Python's code; interrupted. */
  call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    options?: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal },
  ): Promise<BridgeMethods[M]["result"]>;
  /** The device that the engine works on, as Python resolved it. */
  device(): Promise<string>;
  close(): Promise<void>;
}
