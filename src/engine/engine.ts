import type { BridgeMethods, TrialEvent } from "../contract/generated/types.ts";
import type { Launcher, Told } from "./launcher.ts";

export interface LaunchOptions {
  /** The device of each slot; as many attempts run at the same time. */
  slots: readonly string[];
  /** Receives what happens; called from the event loop, never from within a method of the launcher. */
  tell: (told: Told) => void;
}

export interface CallOptions {
  onEvent?: (event: TrialEvent) => void;
  signal?: AbortSignal;
  /** Receives what Python prints; by default a log of the engine's. */
  logFile?: string;
}

/** The Python runtime: one-off calls, and a launcher for the attempts of a sweep. The only implementation, LocalEngine, runs both on this machine. */
export interface Engine {
  /** Calls one bridge method on a worker that runs no attempt. @throws CliprpnError with Python's error code; interrupted. */
  call<M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
    options?: CallOptions,
  ): Promise<BridgeMethods[M]["result"]>;
  /** The device, as Python resolved it. */
  device(): Promise<string>;
  launch(options: LaunchOptions): Launcher;
  /** Ends workers that do nothing; the next call starts one. */
  rest?(): Promise<void>;
  close(): Promise<void>;
}
