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
  writeOutcome(outcome: TrialOutcome): void;
}

/** Runs trials somewhere: on this machine for now. */
export interface Engine {
  /** Runs every trial to an outcome; a failing one stops nothing. Ends early, in order, once the signal is aborted. */
  run(trials: TrialSpec[], folders: TrialFolders, watcher: TrialWatcher, signal: AbortSignal): Promise<void>;
  /** One-off work on the same kind of worker. */
  call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    options?: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal },
  ): Promise<BridgeMethods[M]["result"]>;
  /** The device that the engine works on, as Python resolved it. */
  device(): Promise<string>;
  close(): Promise<void>;
}
