import { existsSync } from "node:fs";

/** What the NVIDIA driver leaves on Linux, and (last) on WSL2. */
const traces = ["/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"];

/** Whether this machine looks like one with an NVIDIA GPU; no process is started to know. */
export function seesNvidiaGpu(): boolean {
  return traces.some((path) => existsSync(path));
}
