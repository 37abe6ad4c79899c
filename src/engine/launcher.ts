import type { CliprpnError } from "../contract/errors.ts";
import type {
  KeepModels,
  PreparationOutcome,
  PreparationSpec,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
  WorkerNow,
} from "../contract/generated/types.ts";

/** One run of a trial, in a new folder that only its worker writes to. */
export interface Attempt {
  spec: TrialSpec;
  /** Counted from 1 for each trial. */
  number: number;
  folder: string;
  logFile: string;
  keep_models: KeepModels;
  /** Folders of earlier attempts at the trial whose training it may continue, newest first. */
  resume_from?: readonly string[];
  /** Time between checkpoints within an epoch; 0 or undefined for none but those at the end of epochs. */
  checkpoint_minutes?: number;
  /** The person's file of a custom fusion, for messages; the trial runs a copy of it. */
  fusionFile?: string;
  /** The outcome that its worker wrote, if it got that far. */
  outcome(): TrialOutcome | undefined;
  /** Whether its worker saved a checkpoint from which a later attempt can continue. */
  hasCheckpoint(): boolean;
}

/** One try to make what the trials of a sweep share, in a new folder that only its worker writes to. */
export interface Preparation {
  spec: PreparationSpec;
  /** Counted from 1 for each sweep. */
  number: number;
  folder: string;
  logFile: string;
  /** See `num_lanes` of the contract. */
  numLanes: number;
  /** The outcome that its worker wrote, if it got that far. */
  outcome(): PreparationOutcome | undefined;
}

/** Receives what happens to a preparation. */
export interface PrepareOptions {
  /** Cancels it. */
  signal: AbortSignal;
  /** `worker` says where it runs, if that is not this machine. */
  onStarted(worker?: string): void;
  onEvent(event: TrialEvent): void;
}

/** How an attempt ended, as far as its launcher knows. */
export type AttemptEnd<Outcome = TrialOutcome> =
  /** Python returned an outcome, or its file was there although the worker was lost. */
  | { how: "outcome"; outcome: Outcome }
  /** It was canceled. */
  | { how: "canceled" }
  /**
   * The cluster took the worker away; that is no fault of the trial. `limitMs` is the time limit of workers, if the attempt ran for at
   * least three quarters of it.
   */
  | { how: "preempted"; reason: string; limitMs?: number }
  /** There is no outcome: a lost worker, a time-out, an error across the bridge, or a fault of the machine. */
  | { how: "error"; error: CliprpnError };

/** An attempt that waits or runs since an earlier process ran the sweep. */
export interface LeftAttempt {
  trial_id: string;
  number: number;
}

/** What became of a worker on another machine. */
export type WorkerState = "ready" | "ended" | "refused" | "barred";

/** What a launcher tells its controller. */
export type Told =
  /**
   * How many attempts it can take at the same time now; `numWorkers` is how many of these can run, where that changes. The reason says
   * why there are not more, if people should know it.
   */
  | { type: "capacity"; numSlots: number; numWorkers?: number; reason?: string }
  /** `worker` says where it runs, if that is not this machine. */
  | { type: "started"; attempt: Attempt; slot: number; worker?: string }
  | { type: "event"; attempt: Attempt; event: TrialEvent }
  | { type: "ended"; attempt: Attempt; end: AttemptEnd }
  /** A worker on another machine changed; `node` and `worker` say where it runs. */
  | { type: "worker"; worker: string; node: string; state: WorkerState; reason?: string }
  /** A worker is replaced by a new process, between two attempts. */
  | { type: "renewed"; slot: number; reason: string }
  /** A worker cannot start, for a reason that lies in the machine; no attempt is affected. `want` tries again. */
  | { type: "fault"; error: unknown; slot?: number };

/**
 * Runs attempts and tells what happens to them. It decides nothing: which attempts run, which run again and which count is up to the
 * controller (`sweep/run/controller.ts`).
 *
 * Every launcher passes the same tests (`test/contract/engine.test.ts`): an attempt that was submitted ends once, and is not mentioned
 * after its end; its events come in order, between its start and its end; workers are warm; a crash ends one attempt and no other;
 * after `close`, no attempt runs.
 */
export interface Launcher {
  /**
   * Follows the attempts that wait or run since an earlier process ran the sweep, as if they had been submitted. Where workers end
   * with that process, there are none. Called once, before any other method.
   *
   * @param take the attempt to follow; undefined for one that nobody wants any more, which is canceled.
   */
  attach(take: (left: LeftAttempt) => Promise<Attempt | undefined>): Promise<void>;
  /** Workers on other machines; undefined for those of this one. */
  workers?(): WorkerNow[];
  /**
   * Says how many attempts could run now, including the running ones. Starts workers for them, up to its limit, and tells its capacity.
   * During `prepare`, only where workers may be waited for: all wait in the queue of a cluster at the same time.
   */
  want(numAttempts: number): void;
  /** Runs an attempt. The controller submits at most as many as there is capacity for. */
  submit(attempt: Attempt): void;
  /** Ends an attempt: its worker is asked to stop, and killed if it does not. Its end is told as always. */
  cancel(attempt: Attempt): void;
  /**
   * Makes what trials share on one worker, of the kind that runs them. Call it after `attach`, and submit no attempt before it has
   * ended; those that run since an earlier process ran the sweep go on meanwhile. A launcher without it leaves this to the trials.
   *
   * @throws CliprpnError locked, if another process runs the sweep now; an error of the disk.
   */
  prepare?(preparation: Preparation, options: PrepareOptions): Promise<AttemptEnd<PreparationOutcome>>;
  /** The number of the preparation that waits or runs since an earlier process ran the sweep; `prepare` follows it. */
  leftPreparation?(): number | undefined;
  /** Lets attempts wait and run without this process, where workers can; nothing is told any more. Starts workers for them. */
  leave?(): Promise<void>;
  /** In place of `close`, if the attempts could not be left: takes back those that wait. Those that run go on; workers end after them. */
  takeBack?(): void;
  /** Ends all workers. Attempts that still run are not told any more. */
  close(): Promise<void>;
}
