/** The worker process: owns one bridge, one Python process and one device. Leader of its process group. */
import { type Bridge, openBridge } from "../bridge/bridge.ts";
import type { FromWorker, ToWorker, WorkerConfig } from "./protocol.ts";

const config: WorkerConfig = JSON.parse(process.argv[2] ?? "{}");
const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};
const pythonGone = (reason: string, signal?: NodeJS.Signals): void =>
  send({ type: "python_gone", reason, ...(signal === undefined ? {} : { signal }) });

// The parent process has died: kill the whole group, including a busy Python.
process.on("disconnect", endGroup);
if (!process.connected) endGroup();
// Clusters send these to every process of a job; the CLI handles them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

await serve().catch((error) => {
  console.error(error); // Into the log; pythonia puts Python's traceback into the stack.
  pythonGone(`Python could not run ${config.module}`);
});

async function serve(): Promise<void> {
  const bridge = await openBridge({
    ...config,
    onEvent: (text) => send({ type: "event", text }),
    onExit: pythonGone,
  });
  process.on("message", (message: ToWorker) => {
    answer(bridge, message).catch((error) => {
      console.error(error);
      pythonGone(`${config.module} raised an error across the bridge`);
    });
  });
  send({ type: "ready", python_pid: bridge.pid });
}

async function answer(bridge: Bridge, { id, method, params }: ToWorker): Promise<void> {
  const envelope: unknown = await bridge.call(method, params);
  // Anything but text is a pythonia proxy, which must not be touched.
  send({ type: "reply", id, envelope: typeof envelope === "string" ? envelope : "not text" });
}

function endGroup(): void {
  process.kill(-process.pid, "SIGKILL");
}
