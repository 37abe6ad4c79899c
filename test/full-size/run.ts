/**
 * `npm run test:full-size [-- --divide-by N --keep]`: a dataset with the counts of RefCOCOg and made images, from the archives
 * to a report, by the command line; then `preflight` of the same experiment. Checks the counts, and prints time, memory and
 * disk of each step.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatBytes, formatDuration } from "../../src/base/format.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { refcocogShape, type Shape } from "../bench/full-shape.ts";
import { bytesBelow, makeArchives, numCocoImages } from "./archives.ts";
import { checkDataset, checkFeatures, checkReport } from "./checks.ts";
import { runMeasured } from "./measured.ts";

/** Few steps, on all images and expressions of val and test. */
const content = {
  name: "full-size",
  question: "Does a dataset as large as RefCOCOg work, from its archives to a report?",
  dataset: { name: "refcocog-umd" },
  settings: { training: { num_epochs: 1 }, limits: { train: 2000 } },
  vary: { fusion: ["film", "token_attention"] },
  seeds: [0],
};

const { values } = parseArgs({
  options: { "divide-by": { type: "string", default: "1" }, keep: { type: "boolean", default: false } },
});
const divisor = Number(values["divide-by"]);
const shape = refcocogShape.map((split) => scaled(split));
const python =
  process.env.CLIPRPN_TEST_PYTHON ??
  (await ensureEnvironment({ name: "test", terminal: makeTerminal(process) })).python;
const folder = mkdtempSync(join(tmpdir(), "cliprpn-full-size-"));
const env = { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: python };
const experiment = "full-size.json";

try {
  const [load = 0] = loadavg();
  print(
    `${availableParallelism()} cores of ${cpus()[0]?.model}, ${load.toFixed(1)} processes running before.\n`,
  );
  print("| step | time | peak memory | disk |\n|---|---|---|---|");
  const started = performance.now();
  await makeArchives(join(folder, "archives"), shape, Math.ceil(numCocoImages / divisor));
  await row("make the archives", performance.now() - started, undefined);
  await step("prepare", "refcocog", "--root", "archives");
  checkDataset(join(folder, "data/refcocog-umd"), shape, divisor === 1);
  writeFileSync(join(folder, experiment), JSON.stringify(content));
  await step("sweep", experiment);
  checkFeatures(env.CLIPRPN_CACHE, shape);
  checkReport(join(folder, "runs/sweeps/full-size"), "val", shape);
  await step("report", "full-size", "--split", "test");
  checkReport(join(folder, "runs/sweeps/full-size"), "test", shape);
  // Of the sweep that one would run: on all of train, as long as the preset says.
  await step("preflight", experiment, "--set", "limits.train=null", "--set", "training.num_epochs=12");
  print(`\n${readFileSync(join(folder, "preflight/full-size/PREFLIGHT.md"), "utf8")}`);
} finally {
  if (values.keep) print(`kept ${folder}`);
  else rmSync(folder, { recursive: true });
}

/** Runs a command and prints its row. */
async function step(...args: string[]): Promise<void> {
  const { code, duration_ms, peak_bytes, output } = await runMeasured(args, folder, env);
  // Other counts than the published ones fail a check of preflight.
  if (code !== 0 && !(args[0] === "preflight" && divisor > 1 && code === 3))
    throw new Error(`cliprpn ${args.join(" ")} exited with ${code}:\n${output}`);
  await row(`\`cliprpn ${args.join(" ")}\``, duration_ms, peak_bytes);
}

async function row(what: string, duration_ms: number, peak_bytes: number | undefined): Promise<void> {
  const memory = peak_bytes === undefined ? "" : formatBytes(peak_bytes);
  print(
    `| ${what} | ${formatDuration(duration_ms)} | ${memory} | ${formatBytes(await bytesBelow(folder))} |`,
  );
}

function scaled({ split, ...counts }: Shape): Shape {
  const part = (value: number): number => Math.ceil(value / divisor);
  return {
    split,
    num_images: part(counts.num_images),
    num_refs: part(counts.num_refs),
    num_sentences: part(counts.num_sentences),
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
