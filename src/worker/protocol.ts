/** What the CLI and a worker say to each other over Node's channel between processes. */
export type ToWorker = { type: "call"; id: number; method: string; params: string };

export type FromWorker =
  | { type: "ready"; python_pid: number }
  | { type: "reply"; id: number; envelope: string }
  | { type: "event"; text: string }
  | { type: "python_gone"; reason: string };

/** How a worker is told what to run: the one argument of its process, as JSON. */
export interface WorkerConfig {
  python: string;
  pythonPath: string;
  module: string;
}
