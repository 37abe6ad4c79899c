/** The worker process: owns one bridge, and with it one Python and one device. Leader of its process group. */
import { openBridge } from "../bridge/bridge.ts";
import type { FromWorker, ToWorker, WorkerConfig } from "./protocol.ts";

const config: WorkerConfig = JSON.parse(process.argv[2] ?? "{}");
const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

// Nobody is left to work for: end the whole group, a busy Python with it.
process.on("disconnect", endGroup);
// The CLI decides what Ctrl-C means.
process.on("SIGINT", () => undefined);

const bridge = await openBridge({
  ...config,
  onEvent: (text) => send({ type: "event", text }),
  onExit: (reason) => send({ type: "python_gone", reason }),
});
process.on("message", async ({ id, method, params }: ToWorker) => {
  send({ type: "reply", id, envelope: await bridge.call(method, params) });
});
send({ type: "ready", python_pid: bridge.pid });

function endGroup(): void {
  process.kill(-process.pid, "SIGKILL");
}
