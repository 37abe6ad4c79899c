/** `npm run bench [-- --out FILE --scenes N --only PART]`: measures cliprpn and its baselines in one run, as markdown. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { ensureExtras } from "../../src/environment/ensure-extras.ts";
import { packageRoot } from "../../src/package-root.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { auditRows } from "./audit.ts";
import { helpMs, sweepMemory } from "./cli.ts";
import { compareRows } from "./compare.ts";
import { measureEngine } from "./engine.ts";
import { extractionRows } from "./extraction.ts";
import { faultsRows } from "./faults.ts";
import { figuresRows } from "./figures.ts";
import { fullShapeRows } from "./full-shape-rows.ts";
import { imagesMemoryRows, imagesRows } from "./images.ts";
import { manyRows } from "./many.ts";
import { parquetRows } from "./parquet.ts";
import { preflightRows } from "./preflight.ts";
import { runPython } from "./python.ts";
import { rayRows } from "./ray.ts";
import {
  type BaselineFigures,
  baselineRows,
  engineRows,
  helpRow,
  memoryRows,
  type Row,
  type RpnFigures,
  rpnRows,
  type SweepFigures,
  sweepRows,
} from "./rows.ts";
import { runnersRows } from "./runners.ts";
import { scaleRows } from "./scale.ts";
import { makeScenes, numEpochs, type Scenes } from "./scenes.ts";
import { schedulerRows } from "./scheduler.ts";
import { slotsRows } from "./slots.ts";
import { slurmRows } from "./slurm.ts";

const { values } = parseArgs({
  options: { out: { type: "string" }, scenes: { type: "string" }, only: { type: "string" } },
});
const numScenes = Number(values.scenes ?? 300);
const started = performance.now();
const terminal = makeTerminal(process);
const environment = await ensureEnvironment({ name: "runtime", terminal });
await ensureExtras(environment, ["yolo"], { terminal });
const { python } = environment;
const folder = mkdtempSync(join(tmpdir(), "cliprpn-bench-"));
let made: Promise<Scenes> | undefined;
const scenes = (): Promise<Scenes> => {
  made ??= makeScenes(folder, python, numScenes);
  return made;
};

/** By name: what is measured, and how. */
const parts: Record<string, [what: string, measure: () => Promise<Row[]>]> = {
  sweep: [
    "a sweep, and the same by ClipRPN (Trento)",
    async () => {
      const { prepare_s, specFiles } = await scenes();
      const args = [join(folder, "ours"), String(prepare_s), ...specFiles];
      return sweepRows(await runPython<SweepFigures>(python, "sweep", args));
    },
  ],
  baseline: [
    "a baseline, and the same by ClipRPN (Trento)",
    async () => {
      const args = [(await scenes()).specFiles[0] ?? "", join(folder, "baseline")];
      return baselineRows(await runPython<[BaselineFigures, BaselineFigures]>(python, "baseline", args));
    },
  ],
  engine: [
    "bridge and engine, and a plain loop",
    async () => engineRows(await measureEngine(await scenes(), python)),
  ],
  preflight: ["a projection, and the sweep that it is of", async () => preflightRows(await scenes())],
  rpn: [
    "region proposals, and torchvision's",
    async () => rpnRows(await runPython<RpnFigures>(python, "rpn", ["2"])),
  ],
  help: ["the command line", async () => [helpRow(await helpMs())]],
  many: ["many trials", () => manyRows(folder)],
  scheduler: ["trials that do nothing", () => schedulerRows(folder, python)],
  scale: ["a sweep on a thousand slots, simulated", () => scaleRows(folder)],
  ...(process.platform === "linux" && {
    runners: ["Optuna, Ray Tune and Hydra", () => runnersRows(folder, python, terminal)],
    slurm: ["trials on SLURM, and submitit", () => slurmRows(folder, python, terminal)],
    ray: ["trials on Ray, and Ray Tune", () => rayRows(folder, python, terminal)],
  }),
  figures: ["the figures of a report on many trials", () => figuresRows(folder, python)],
  audit: ["an audit of a model's use of words", () => auditRows(folder, python)],
  ...(process.platform === "linux" && {
    compare: ["comparing outside models", () => compareRows(folder, python)],
  }),
  ...(process.platform === "linux" && {
    memory: ["memory", async () => memoryRows(await sweepMemory(await scenes()))],
  }),
  extraction: ["extraction, and plain loops", () => extractionRows(python)],
  images: ["preparing images", () => imagesRows(folder, python)],
  ...(process.platform === "linux" && {
    "images-memory": ["preparing many images", () => imagesMemoryRows(folder)],
  }),
  ...(process.platform === "linux" && {
    parquet: ["Parquet with images inside", () => parquetRows(folder, python)],
  }),
  slots: ["one-thread slots, and two threads", () => slotsRows(folder, python)],
  faults: ["files with a fault in each row", () => faultsRows(folder, python)],
  dataset: ["a dataset as large as RefCOCOg", () => fullShapeRows(folder, python)],
};

try {
  const rows: Row[] = [];
  for (const [name, [what, measure]] of Object.entries(parts)) {
    if (values.only !== undefined && values.only !== name) continue;
    terminal.info(`measuring ${what}`);
    rows.push(...(await measure()));
  }
  if (rows.length === 0)
    throw new Error(`--only: expected one of ${Object.keys(parts).join(", ")}, found ${values.only}`);
  const text = page(rows, await machine());
  process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
} finally {
  rmSync(folder, { recursive: true });
}

function page(rows: Row[], system: string): string {
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  const lines = rows.map(({ what, ours, baseline, result, target, met }) => {
    const verdict = met === undefined ? target : `${target}: ${met ? "met" : "**missed**"}`;
    return `| ${what} | ${ours} | ${baseline} | ${result} | ${verdict} |`;
  });
  return `# Results of \`npm run bench\`

${system}. ${new Date().toISOString().slice(0, 10)}, ${minutes} minutes in total.

cliprpn and the baseline of each row were measured in this run: ${numScenes} training scenes and a fifth as many for val from
the demo generator, ${numEpochs} epochs, cliprpn-tiny, batch size 50, two threads. Only the row of a sweep's peak memory includes
starting Python and importing torch.

| what | cliprpn | baseline | result | target |
|---|---|---|---|---|
${lines.join("\n")}
`;
}

async function machine(): Promise<string> {
  const code = "import torch, platform; print(platform.python_version(), torch.__version__)";
  const [version, torch] = (await execa(python, ["-c", code])).stdout.split(" ");
  const { stdout: commit } = await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: packageRoot });
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `Commit ${commit} on ${availableParallelism()} cores of ${cpus()[0]?.model}, ${memory}, ${type()} ${release()}, Node ${process.versions.node}, Python ${version}, torch ${torch}`;
}
