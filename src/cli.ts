/** The process edge: signals in, exit code out. */
import { EXIT } from "./contract/errors.ts";
import { main } from "./main.ts";

const controller = new AbortController();
let askedAt = 0;
const interrupt = (): void => {
  if (!controller.signal.aborted) {
    askedAt = Date.now();
    controller.abort();
  } else if (Date.now() - askedAt > echoMs) process.exit(EXIT.interrupted); // Workers end with us.
};
/** npx hands on the Ctrl-C that the terminal has sent us too: within this time it is the same one. */
const echoMs = 200;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
// The reader of a pipe, or the terminal, has gone.
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
