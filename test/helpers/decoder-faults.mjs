/**
 * Tests preload this into decoder processes: decoding a file named `crash...` or `hang...` crashes or hangs,
 * as native code can.
 */
import { writeSync } from "node:fs";

const pending = [];
process.on("message", ({ wanted }) => {
  pending.push(wanted.file_name);
  failIfNext();
});
const send = process.send?.bind(process);
if (send)
  process.send = (message) => {
    if (message.type !== "ready") pending.shift();
    const isSent = send(message);
    failIfNext();
    return isSent;
  };

function failIfNext() {
  if (pending[0]?.startsWith("crash")) {
    writeSync(2, "free(): invalid pointer\n");
    process.kill(process.pid, "SIGSEGV");
  }
  if (pending[0]?.startsWith("hang")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
