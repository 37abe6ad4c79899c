/**
 * `npm run torture -- --kills N [--seed S] [--engine queue|slurm|ray] [--yolo]`: runs small sweeps with real workers, whose processes are
 * killed at random moments and at changes of the disk, and which meet full and read-only disks, torn files and jumps of the clock,
 * until N processes were killed; elsewhere also frozen workers and canceled jobs. Each sweep must end with the results of one that was
 * left alone. Linux only.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { engines, type TortureEngine } from "./engines/engines.ts";
import { torture } from "./torture.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "local" },
    kills: { type: "string", default: "20" },
    yolo: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (![kills, seed].every(Number.isSafeInteger))
  throw new Error(`expected whole numbers for --kills and --seed, found ${values.kills} and ${values.seed}`);
if (!(values.engine in engines))
  throw new Error(`--engine: expected ${Object.keys(engines).join(", ")}; found ${values.engine}`);
const python =
  process.env.CLIPRPN_TEST_PYTHON ??
  (await ensureEnvironment({ name: "test", terminal: makeTerminal(process) })).python;
const folder = mkdtempSync(join(tmpdir(), "cliprpn-torture-"));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const engine = await engines[values.engine as TortureEngine]();
say(`${kills} kills on the engine ${values.engine}, seed ${seed}, in ${folder}`);
const started = Date.now();
const { counts, numPlaces } = await torture({
  kills,
  seed,
  folder,
  python,
  engine,
  hasYolo: values.yolo,
  say,
}).finally(() => engine.stop?.());
say(`${counts.describe(numPlaces)}, in ${((Date.now() - started) / 60_000).toFixed(1)} min`);
for (const difference of counts.differences) say(`\n${difference}`);
if (counts.differences.length === 0) rmSync(folder, { recursive: true, force: true });
process.exitCode = counts.differences.length === 0 ? 0 : 1;
