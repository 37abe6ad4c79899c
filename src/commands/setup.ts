import { CliprpnError, EXIT } from "../contract/errors.ts";
import { cacheDir } from "../environment/cache.ts";
import { ensureEnvironment } from "../environment/ensure-environment.ts";
import { ensureExtras } from "../environment/ensure-extras.ts";
import { extraNames } from "../environment/extras.ts";
import { rememberTorch } from "../environment/torch-choice.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn setup`: installs now what the first sweep, or the first use of a detector, would install. */
export async function setup(args: Arguments, { terminal, env, signal }: Context): Promise<number> {
  const torchBackend = args.text("torch-backend");
  const userPython = args.text("python") || env.CLIPRPN_PYTHON;
  if (torchBackend !== undefined) checkBackend(torchBackend, userPython);
  const extras = extraNames.filter((name) => args.list("extra").includes(name));
  const context = { terminal, env, signal };
  const environment = await ensureEnvironment({
    name: "runtime",
    python: userPython,
    torchBackend,
    ...context,
  });
  await ensureExtras(environment, extras, context);
  if (torchBackend !== undefined) await rememberTorch(torchBackend, cacheDir(env));
  terminal.info(
    environment.kind === "user"
      ? "Your interpreter has all packages that cliprpn needs."
      : "Setup is complete. Next: cliprpn sweep experiments/smoke.json",
  );
  terminal.result(environment.python);
  return EXIT.good;
}

function checkBackend(torchBackend: string, userPython: string | undefined): void {
  if (userPython) {
    throw new CliprpnError(
      "bad_input",
      `--torch-backend applies to the environment that cliprpn installs; ${userPython} has its own torch. Remove one of the two options`,
    );
  }
  if (!/^[a-z0-9.]+$/.test(torchBackend)) {
    throw new CliprpnError(
      "bad_input",
      `--torch-backend ${torchBackend}: expected a torch backend of uv, such as cpu, cu128 or auto, or "lock" for the builds in the lock file`,
    );
  }
}
