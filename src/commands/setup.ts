import { mkdirSync, writeFileSync } from "node:fs";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { cacheDir } from "../runtime/cache-dir.ts";
import { ensureRuntime } from "../runtime/ensure-runtime.ts";
import { backendFile } from "../runtime/environment.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn setup`: what the first sweep would do anyway, now. */
export async function setup(args: Arguments, { terminal, env, signal }: Context): Promise<number> {
  const torchBackend = args.text("torch-backend");
  if (torchBackend !== undefined && !/^[a-z0-9.]+$/.test(torchBackend)) {
    throw new CliprpnError(
      "bad_input",
      `--torch-backend ${torchBackend}: expected a name such as cpu or cu128`,
    );
  }
  const { python, kind } = await ensureRuntime({
    environment: "runtime",
    python: args.text("python"),
    torchBackend,
    terminal,
    env,
    signal,
  });
  if (torchBackend !== undefined) {
    mkdirSync(cacheDir(env), { recursive: true });
    writeFileSync(backendFile(cacheDir(env)), torchBackend);
  }
  terminal.info(
    kind === "own"
      ? "Your interpreter has what cliprpn needs."
      : "Ready. Next: cliprpn sweep experiments/smoke.json",
  );
  terminal.result(python);
  return EXIT.good;
}
