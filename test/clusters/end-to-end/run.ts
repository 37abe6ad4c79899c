/**
 * `npm run test:end-to-end -- [--engine slurm|ray] [--real] [--folder DIR]`: a small copy of experiments/fusion.json, or the file itself, on a cluster of
 * this machine whose processes are killed, frozen and preempted; then the same on this machine. All results must be equal.
 * A folder that is named is kept: a second engine there is compared with the same sweep on this machine.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureEnvironment } from "../../../src/environment/ensure-environment.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { makeTerminal } from "../../../src/terminal/make-terminal.ts";
import { runEndToEnd } from "./end-to-end.ts";
import { type EngineOfSite, sites, smallFusion } from "./sites.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "slurm" },
    real: { type: "boolean", default: false },
    folder: { type: "string" },
  },
});
if (!(values.engine in sites))
  throw new Error(`--engine: expected ${Object.keys(sites).join(" or ")}, found ${values.engine}`);
const engine = values.engine as EngineOfSite;
const python =
  process.env.CLIPRPN_TEST_PYTHON ??
  (await ensureEnvironment({ name: "test", terminal: makeTerminal(process) })).python;
const folder = resolve(values.folder ?? mkdtempSync(join(tmpdir(), "cliprpn-end-to-end-")));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const started = performance.now();
const experiment = values.real
  ? JSON.parse(readFileSync(join(packageRoot, "experiments/fusion.json"), "utf8"))
  : smallFusion;
say(
  `${values.real ? "experiments/fusion.json" : "a small copy of experiments/fusion.json"} on ${engine}, in ${folder}`,
);
await runEndToEnd({ folder, experiment, python, engine, say });
say(`in ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
