/** The process edge: signals in, exit code out. */
import { main } from "./main.ts";

const controller = new AbortController();
const interrupt = (): void => {
  // Twice: at once. Workers end with the channel to this process.
  if (controller.signal.aborted) process.kill(process.pid, "SIGKILL");
  controller.abort();
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
process.stdout.on("error", () => controller.abort()); // The reader of a pipe has gone.

const { stdout, stderr, env, platform } = process;
process.exitCode = await main(process.argv.slice(2), {
  stdout,
  stderr,
  env,
  platform,
  cwd: process.cwd(),
  signal: controller.signal,
});
