/** Process entry: handles signals, sets the exit code. */
import { EXIT } from "./contract/errors.ts";
import { main } from "./main.ts";

const controller = new AbortController();
let interruptedAt = 0;
const interrupt = (): void => {
  if (!controller.signal.aborted) {
    interruptedAt = Date.now();
    controller.abort();
  } else if (Date.now() - interruptedAt > duplicateMs) process.exit(EXIT.interrupted); // Workers exit with their parent.
};
/** npx forwards a Ctrl-C that the terminal also sends: a second signal within this time is the same key press. */
const duplicateMs = 200;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
// The reader of the pipe, or the terminal, has closed.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => controller.abort());

const { stdout, stderr, env, platform } = process;
process.exitCode = await main(process.argv.slice(2), {
  stdout,
  stderr,
  env,
  platform,
  cwd: process.cwd(),
  signal: controller.signal,
});
