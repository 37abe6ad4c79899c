import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { SweepStore } from "./sweep-store.ts";
import { sweepsIn } from "./sweeps.ts";

/** A sweep by its name or its folder; the newest one by default. @throws CliprpnError not_found. */
export function findSweep(name: string | undefined, runsDir: string, cwd: string): SweepStore {
  const sweeps = sweepsIn(runsDir);
  if (name === undefined) {
    const [newest] = sweeps;
    if (newest !== undefined) return newest;
    throw new CliprpnError(
      "not_found",
      `${runsDir}: expected a sweep, found none; run \`cliprpn sweep\` first`,
    );
  }
  const path = resolve(cwd, name);
  const byPath = existsSync(path) ? new SweepStore(dirname(dirname(path)), basename(path)) : undefined;
  // A folder of another kind may have the name of a sweep.
  const store = byPath?.exists ? byPath : sweeps.find((sweep) => sweep.name === name);
  if (store?.exists) return store;
  if (existsSync(join(path, "plan.json")))
    throw new CliprpnError(
      "bad_input",
      `${name}: expected a sweep, found one of an early version of cliprpn; \`cliprpn list --runs-dir ${dirname(path)}\` adopts the sweeps of this folder, which are then in ${join(dirname(path), "sweeps")}`,
    );
  throw new CliprpnError(
    "not_found",
    `${name}: expected the name or the folder of a sweep in ${runsDir}, found neither; it has ${sweeps.length === 0 ? "no sweep" : sweeps.map((sweep) => sweep.name).join(", ")}`,
  );
}
