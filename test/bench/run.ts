/** `npm run bench [-- --out FILE --scenes N]`: measures cliprpn and its baselines in one run, as markdown. */
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
import { helpMs, sweepMemory } from "./cli.ts";
import { measureEngine } from "./engine.ts";
import { fullShapeRows } from "./full-shape-rows.ts";
import { imagesMemoryRows, imagesRows } from "./images.ts";
import { runPython } from "./python.ts";
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
import { makeScenes, numEpochs } from "./scenes.ts";

const { values } = parseArgs({ options: { out: { type: "string" }, scenes: { type: "string" } } });
const numScenes = Number(values.scenes ?? 300);
const started = performance.now();
const terminal = makeTerminal(process);
const environment = await ensureEnvironment({ name: "runtime", terminal });
await ensureExtras(environment, ["yolo"], { terminal });
const { python } = environment;
const folder = mkdtempSync(join(tmpdir(), "cliprpn-bench-"));
try {
  const rows: Row[] = [];
  const add = async (what: string, measure: () => Promise<Row[]>): Promise<void> => {
    terminal.info(`measuring ${what}`);
    rows.push(...(await measure()));
  };
  const scenes = await makeScenes(folder, python, numScenes);
  await add("a sweep, and the same by ClipRPN (Trento)", async () => {
    const args = [join(folder, "ours"), String(scenes.prepare_s), ...scenes.specFiles];
    return sweepRows(await runPython<SweepFigures>(python, "sweep", args));
  });
  await add("a baseline, and the same by ClipRPN (Trento)", async () => {
    const args = [scenes.specFiles[0] ?? "", join(folder, "baseline")];
    return baselineRows(await runPython<[BaselineFigures, BaselineFigures]>(python, "baseline", args));
  });
  await add("bridge and engine, and a plain loop", async () =>
    engineRows(await measureEngine(scenes, python)),
  );
  await add("region proposals, and torchvision's", async () =>
    rpnRows(await runPython<RpnFigures>(python, "rpn", ["2"])),
  );
  await add("the command line", async () => [helpRow(await helpMs())]);
  if (process.platform === "linux") await add("memory", async () => memoryRows(await sweepMemory(scenes)));
  await add("preparing images", () => imagesRows(folder, python));
  if (process.platform === "linux") await add("preparing many images", () => imagesMemoryRows(folder));
  await add("a dataset as large as RefCOCOg", () => fullShapeRows(folder, python));
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
