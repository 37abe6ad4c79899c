import { joinWords } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { EngineName } from "../sweep/run-context.ts";

/**
 * The value of --engine, by default `local`.
 *
 * @throws CliprpnError bad_input for an option that another engine has.
 */
export function engineChoice(option: (name: string) => string | undefined): EngineName {
  const engine = engines.find((name) => name === option("engine")) ?? "local";
  const others = engine === "local" ? elsewhereOptions : localOptions;
  const found = others.filter((name) => option(name) !== undefined).map((name) => `--${name}`);
  // `worker` has the options of both.
  if (found.length === 0 || option("engine") === undefined) return engine;
  const verb = found.length === 1 ? "is" : "are";
  const next =
    engine === "queue"
      ? "give them to `cliprpn worker --join` on each machine"
      : "leave them out, or choose another --engine";
  throw new CliprpnError(
    "bad_input",
    `${joinWords(found)}: expected options of --engine ${engine}, found what ${verb} for ${engine === "local" ? "workers elsewhere" : "workers of this machine"}; ${next}`,
  );
}

const engines = ["local", "queue", "slurm", "ray"] as const;

/** For workers that are processes of this command. */
const localOptions = ["devices", "slots-per-device", "renew-after"];

/** For workers on other machines. */
const elsewhereOptions = ["lease-seconds", "engine-options", "ray-address", "ray-python"];
