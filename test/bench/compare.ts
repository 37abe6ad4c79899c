/** `cliprpn compare` with made answers: the whole command, from starting Node and Python to the report. Linux only. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { cpuSeconds, descendants, peakBytes } from "./cli.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";

const splits = ["val", "test", "testA", "testB"];
const numModels = 20;
const [width, height] = [640, 480];

interface Expression {
  image: string;
  sentence: string;
  box: number[];
  split: string;
  sent_id: number;
}

/** Two files of 10,000 rows on one split, and twenty models on eight splits of two datasets. */
export async function compareRows(folder: string, python: string): Promise<Row[]> {
  const one = await prepare(folder, python, "one", ["val"], 10_000);
  for (const model of [0, 1]) write(folder, `one-${model}.jsonl`, one, model);
  const results = [0, 1].flatMap((model) => ["--results", `model-${model}=one-${model}.jsonl`]);
  const small = await measure(folder, python, ["--data", "one:val", ...results, "--coordinates", "xyxy"]);

  const [first, second] = [
    await prepare(folder, python, "first", splits, 6000),
    await prepare(folder, python, "second", splits, 6000),
  ];
  const models = Array.from({ length: numModels }, (_, model) => {
    write(folder, `first-${model}.jsonl`, first, model);
    write(folder, `second-${model}.jsonl`, second, model);
    const files = ["first", "second"].flatMap((name) =>
      splits.map((split) => [`${name}:${split}`, `${name}-${model}.jsonl`]),
    );
    return [`model-${model}`, { files: Object.fromEntries(files), coordinates: "xyxy" }];
  });
  const data = ["first", "second"].flatMap((name) => splits.map((split) => `${name}:${split}`));
  const file = join(folder, "many.json");
  writeFileSync(file, JSON.stringify({ name: "many", data, results: Object.fromEntries(models) }));
  const large = await measure(folder, python, [file]);
  const what = `\`compare\` of ${numModels} models on ${data.length} splits, ${first.length + second.length} expressions`;
  return [
    row("`compare` of two files of 10,000 rows, with Python's start", small, 6),
    row(what, large, 60),
    {
      what: "the same, peak memory of its largest process",
      ours: megabytes(large.peak_bytes),
      ...{ baseline: "", result: megabytes(large.peak_bytes) },
      ...{ target: "< 1000 MB", met: large.peak_bytes < 1e9 },
    },
  ];
}

interface Measured {
  seconds: number;
  /** Of all its processes: other programs on the machine change it less than the time that passes. */
  cpu_seconds: number;
  peak_bytes: number;
}

async function measure(folder: string, python: string, args: string[]): Promise<Measured> {
  let peak_bytes = 0;
  const cpu = new Map<number, number>();
  const started = performance.now();
  const running = execa(process.execPath, [cli, "compare", ...args], environment(folder, python));
  const timer = setInterval(() => {
    for (const pid of [running.pid ?? 0, ...descendants(running.pid ?? 0)]) {
      peak_bytes = Math.max(peak_bytes, peakBytes(pid));
      cpu.set(pid, Math.max(cpu.get(pid) ?? 0, cpuSeconds(pid)));
    }
  }, 100);
  try {
    await running;
  } finally {
    clearInterval(timer);
  }
  const cpu_seconds = [...cpu.values()].reduce((sum, each) => sum + each, 0);
  return { seconds: (performance.now() - started) / 1000, cpu_seconds, peak_bytes };
}

function environment(folder: string, python: string) {
  return { cwd: folder, env: { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: python } };
}

/** Prepares a dataset without images. @returns its expressions. */
async function prepare(
  folder: string,
  python: string,
  name: string,
  names: string[],
  numPerSplit: number,
): Promise<Expression[]> {
  const expressions = names.flatMap((split, position) =>
    Array.from({ length: numPerSplit }, (_, index) => {
      // Some touch the edges of their images, as boxes of photos do.
      const [x, y] = [(index * 37) % 600, (index * 53) % 440];
      return {
        image: `${name}-${split}-${Math.floor(index / 4)}.jpg`,
        sentence: `the ${["dog", "cat", "cup"][index % 3]}${" near it".repeat(index % 6)} ${index % 4}`,
        box: [
          x,
          y,
          Math.min(width, x + 20 + ((index * 7) % 280)),
          Math.min(height, y + 20 + ((index * 11) % 230)),
        ],
        ...{ split, sent_id: position * numPerSplit + index },
      };
    }),
  );
  const rows = expressions.map((each) => `${JSON.stringify({ ...each, width, height })}\n`).join("");
  writeFileSync(join(folder, `${name}.jsonl`), rows);
  const args = ["prepare", name, "--from", `${name}.jsonl`, "--without-images", "--box-format", "xyxy"];
  await execa(process.execPath, [cli, ...args], environment(folder, python));
  return expressions;
}

/** Answers of a model, of which about 40 to 80 % are hits. */
function write(folder: string, name: string, expressions: readonly Expression[], model: number): void {
  const lines = expressions.map(({ sent_id, image, box: [x1 = 0, y1 = 0, x2 = 0, y2 = 0] }, index) => {
    const isHit = (index * 7919 + model * 104_729) % 1000 < 400 + 20 * model;
    const pred_box = isHit ? [x1 + 1, y1, x2, y2] : [width - x2, height - y2, width - x1, height - y1];
    return `${JSON.stringify({ sent_id, image, pred_box, score: (index % 97) / 97 })}\n`;
  });
  writeFileSync(join(folder, name), lines.join(""));
}

function row(what: string, { seconds, cpu_seconds }: Measured, target: number): Row {
  const result = `${seconds.toFixed(1)} s`;
  const ours = `${result} (${cpu_seconds.toFixed(1)} s of CPU)`;
  return { what, ours, baseline: "", result, target: `<= ${target} s`, met: seconds <= target };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
