/**
 * A process that uses a lock: `lock-user.ts FOLDER hold|race [times] [fence]`. It prints one line for each thing that happens.
 * `hold` takes the lock, and releases it when a line comes; `race` takes it many times, and fails if two processes have it.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import { acquireOwnerLock } from "../../src/base/owner-lock.ts";

const [folder = "", mode, times = "1", fence = ""] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const options = { command: "lock-user", beatMs: 100, onLost: () => say("lost") };

if (mode === "hold") {
  const lock = await acquireOwnerLock(folder, { ...options, onWait: () => say("waiting") });
  say("held");
  process.stdin.once("data", async () => {
    await lock.release();
    say(lock.lost ? "released a lost lock" : "released");
    process.stdin.destroy();
  });
} else {
  for (let done = 0; done < Number(times); done += 1) {
    const lock = await acquireOwnerLock(folder, options);
    // Fails if another process is here at the same time.
    closeSync(openSync(fence, "wx"));
    await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(fence);
    await lock.release();
  }
  say("done");
}
