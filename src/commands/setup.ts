import { CliprpnError, EXIT } from "../contract/errors.ts";
import { cacheDir } from "../environment/cache-dir.ts";
import { ensureRuntime } from "../environment/ensure-runtime.ts";
import { extraNames } from "../environment/extra-packages.ts";
import { ensureExtras } from "../environment/extras.ts";
import { rememberTorch } from "../environment/torch-choice.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn setup`: what the first sweep, or the first use of a detector, would do anyway, now. */
export async function setup(args: Arguments, { terminal, env, signal }: Context): Promise<number> {
  const torchBackend = args.text("torch-backend");
  const ownPython = args.text("python") || env.CLIPRPN_PYTHON;
  if (torchBackend !== undefined) checkBackend(torchBackend, ownPython);
  const extras = extraNames.filter((name) => args.list("extra").includes(name));
  const runtime = await ensureRuntime({
    environment: "runtime",
    python: ownPython,
    torchBackend,
    terminal,
    env,
    signal,
  });
  await ensureExtras(runtime, extras, { terminal, env, signal });
  if (torchBackend !== undefined) await rememberTorch(torchBackend, cacheDir(env));
  terminal.info(
    runtime.kind === "own"
      ? "Your interpreter has what cliprpn needs."
      : "Ready. Next: cliprpn sweep experiments/smoke.json",
  );
  terminal.result(runtime.python);
  return EXIT.good;
}

function checkBackend(torchBackend: string, ownPython: string | undefined): void {
  if (ownPython) {
    throw new CliprpnError(
      "bad_input",
      `--torch-backend is for the environment that cliprpn sets up; ${ownPython} has its own torch. Leave out one of the two`,
    );
  }
  if (!/^[a-z0-9.]+$/.test(torchBackend)) {
    throw new CliprpnError(
      "bad_input",
      `--torch-backend ${torchBackend}: expected a name that uv knows, such as cpu, cu128 or auto, or "lock" for the lock's own builds`,
    );
  }
}
