/** Messages between the CLI and a worker, over Node's IPC channel. */
export type ToWorker = { type: "call"; id: number; method: string; params: string };

export type FromWorker =
  | { type: "ready"; python_pid: number }
  | { type: "reply"; id: number; envelope: string }
  | { type: "event"; text: string }
  | { type: "python_gone"; reason: string; signal?: NodeJS.Signals };

/** Configuration of a worker process: its one argument, as JSON. */
export interface WorkerConfig {
  python: string;
  modulePath: string[];
  extraModulePath: string[];
  module: string;
}
