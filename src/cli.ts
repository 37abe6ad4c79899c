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
const { stdout, stderr, env, platform } = process;
/** Started by nohup: as bin/cliprpn.js found out, or, below another Node such as npx, as the shell's variable `_` says. */
const ignoresHangup = env.CLIPRPN_SIGHUP === "ignored" || /(^|\/)nohup$/.test(env._ ?? "");
delete env.CLIPRPN_SIGHUP;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
process.on("SIGHUP", ignoresHangup ? () => undefined : interrupt); // Without a handler Node ends, also with nohup.
// The reader of the pipe, or the terminal, has closed.
for (const stream of [stdout, stderr]) stream.on("error", () => controller.abort());

process.exitCode = await main(process.argv.slice(2), {
  stdout,
  stderr,
  env,
  platform,
  cwd: process.cwd(),
  signal: controller.signal,
});
