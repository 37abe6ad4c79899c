/** `cliprpn compare` with files in four conventions of coordinates and seven formats, whose figures are known exactly. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { imageFolder } from "../../src/dataset/images/image-source.ts";
import { prepareDataset } from "../../src/dataset/prepare/prepare-dataset.ts";
import { rowsSource } from "../../src/dataset/prepare/rows-source.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { type CommandResult, cliprpnWithPython } from "../helpers/cli.ts";
import {
  type Box,
  type MadeExpression,
  madeBoxes,
  makeExpressions,
  scaled,
  xywh,
} from "../helpers/made-answers.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("compare-formats");
const data = join(folder, "data");
const numbers = { train: 2, val: 20, test: 30 };
let asked: MadeExpression[] = [];

beforeAll(async () => {
  const expressions = await makeExpressions(folder, numbers);
  asked = expressions.filter(({ split }) => split !== "train");
  const engine = new LocalEngine({
    ...{ python: testPython(), device: "cpu", numThreads: 1 },
    logFile: join(folder, "worker.log"),
  });
  try {
    await prepareDataset(
      {
        folder: join(data, "mine"),
        name: "mine",
        split_by: "own",
        source: rowsSource(
          {
            from: Object.keys(numbers).map((split) => `${split}=${split}.jsonl`),
            box_format: "xyxy",
            split_seed: 0,
          },
          folder,
        ),
        images: imageFolder(join(folder, "photos")),
        sizes: [{ image_size_px: 64, resize: "squash" }],
        max_pixels: 1_000_000,
        follow_links: false,
        allow_missing: false,
        cliprpn_version: "0.1.0",
      },
      {
        call: engine.call.bind(engine),
        onPhase: () => undefined,
        onProgress: () => undefined,
        onReplaced: () => undefined,
      },
    );
  } finally {
    await engine.close();
  }
  mkdirSync(join(folder, "answers"));
  for (const [name, { content }] of Object.entries(files))
    writeFileSync(join(folder, "answers", name), content());
  const script = `import pyarrow.json, pyarrow.parquet, sys
pyarrow.parquet.write_table(pyarrow.json.read_json(sys.argv[1]), sys.argv[2])`;
  const args = ["answers/columns.jsonl", "answers/columns.parquet"].map((name) => join(folder, name));
  execFileSync(testPython(), ["-c", script, ...args]);
});

const run = (...args: string[]): Promise<CommandResult> =>
  cliprpnWithPython(args, folder, { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_DATA: data });

interface MadeFile {
  content(): string;
  /** What stands behind `NAME=` in options. */
  options: Record<string, string>;
  /** The file that is compared, if `content` is converted into it. */
  file?: string;
  format: string;
  /** Of val and of test. */
  hits: [number, number];
}

/** The answers of a model: a text for each expression and box. */
function answers(hits: [number, number], line: (expression: MadeExpression, box: Box) => unknown): unknown[] {
  return (["val", "test"] as const).flatMap((split, index) => {
    const part = asked.filter((each) => each.split === split);
    const boxes = madeBoxes(part, hits[index] ?? 0);
    return part.map((each, row) => line(each, boxes[row] ?? each.box));
  });
}

const lines = (rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

const files: Record<string, MadeFile> = {
  "pixels.csv": {
    ...{ hits: [18, 24], format: "table", options: { coordinates: "xyxy" } },
    content: () =>
      `sent_id,pred_x1,pred_y1,pred_x2,pred_y2,score\n${answers([18, 24], ({ sent_id }, box) => `${sent_id},${box.join(",")},0.5\n`).join("")}`,
  },
  "coco.json": {
    ...{ hits: [16, 27], format: "coco", options: { columns: "sent_id=image_id" } },
    content: () =>
      JSON.stringify(
        answers([16, 27], ({ sent_id }, box) => ({
          ...{ image_id: sent_id, category_id: 1 },
          ...{ bbox: xywh(box), score: 0.9 },
        })),
      ),
  },
  "norm.jsonl": {
    ...{ hits: [15, 21], format: "table", options: { coordinates: "xywh_norm" } },
    content: () =>
      lines(
        answers([15, 21], ({ sent_id, size }, box) => ({ sent_id, bbox: xywh(scaled(box, size, [1, 1])) })),
      ),
  },
  "kit.tsv": {
    ...{ hits: [14, 9], format: "vlmevalkit", options: { coordinates: "xyxy_norm" } },
    content: () =>
      `index\timage_path\tquestion\tanswer\tsplit\tprediction\n${answers(
        [14, 9],
        ({ sent_id, image, sentence, split, size, box: truth }, box) =>
          [
            ...[1000 + sent_id, image, sentence],
            JSON.stringify(scaled(truth, size, [1, 1])),
            ...[`mine_${split}`, `The box is ${JSON.stringify(scaled(box, size, [1, 1]))}.\n`],
          ].join("\t"),
      ).join("")}`,
  },
  "text.json": {
    ...{ hits: [12, 18], format: "table", options: { coordinates: "xyxy_1000" } },
    content: () =>
      JSON.stringify(
        answers([12, 18], ({ image, sentence, size }, box) => ({
          ...{ image, expression: sentence },
          answer: `It is here: ${JSON.stringify(scaled(box, size, [1000, 1000]))}.`,
        })),
      ),
  },
  "columns.jsonl": {
    ...{ hits: [11, 12], format: "table", options: { coordinates: "xyxy@columns" } },
    file: "columns.parquet",
    content: () =>
      lines(
        answers([11, 12], ({ sent_id, size }, box) => ({
          ...{ sent_id, pred_box: scaled(box, size, [448, 336]) },
          ...{ resized_width: 448, resized_height: 336 },
        })),
      ),
  },
  "resized.tsv": {
    ...{ hits: [10, 15], format: "table", options: { coordinates: "xyxy@640x480" } },
    content: () =>
      `sent_id\tpred_box\n${answers([10, 15], ({ sent_id, size }, box) => `${sent_id}\t${JSON.stringify(scaled(box, size, [640, 480]))}\n`).join("")}`,
  },
};

const labelOf = (name: string): string => name.replace(/\..*/, "");

/** @param wrong coordinates in place of the right ones, by label. */
function compareAll(args: string[], wrong: Record<string, string> = {}): Promise<CommandResult> {
  const results = Object.entries(files).flatMap(([name, { file = name, options }]) => {
    const label = labelOf(name);
    const given = { ...options, ...(label in wrong ? { coordinates: wrong[label] } : {}) };
    return [
      ...["--results", `${label}=answers/${file}`],
      ...Object.entries(given).flatMap(([option, value]) => [`--${option}`, `${label}=${value}`]),
    ];
  });
  return run("compare", ...results, ...args, "--json");
}

test("the figures of seven formats in four conventions are those of their construction, on each split", async () => {
  const data = ["--data", "mine:val", "--data", "mine:test"];
  const { code, out, err } = await compareAll([...data, "--name", "all"]);
  expect(code, err).toBe(0);
  const result = JSON.parse(out);
  for (const [index, number] of [numbers.val, numbers.test].entries()) {
    const { models, name: split } = result.data[index];
    for (const [name, { hits }] of Object.entries(files)) {
      const model = models.find(({ label }: { label: string }) => label === labelOf(name));
      const expected = (hits[index] ?? 0) / number;
      expect(model.acc_at_50.mean, `${name} on ${split}`).toBeCloseTo(expected, 12);
      expect(model.miou.mean, `${name} on ${split}`).toBeCloseTo(0.8 * expected, 5);
    }
  }
  const primary = result.primary.models.map((each: { label: string }) => each.label);
  expect(primary).toEqual(["coco", "pixels", "norm", "text", "resized", "columns", "kit"]); // By test.
  const comparison = dirname(join(folder, result.file));
  const stored = JSON.parse(readFileSync(join(comparison, "comparison.json"), "utf8"));
  for (const [index, { format }] of Object.values(files).entries())
    for (const { reports } of stored.models[index].answers)
      expect(reports[0]).toMatchObject({ format, num_missing: 0, num_strangers: 0, num_unparsed: 0 });
  const tex = readdirSync(comparison, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("splits.tex"),
  );
  const latex = readFileSync(join(comparison, tex[0] ?? "splits.tex"), "utf8");
  for (const value of ["90.0", "80.0", "75.0", "70.0", "60.0", "50.0"]) expect(latex).toContain(value);
});

test("one file in another convention than the named one is refused with the one that fits, and nothing remains", async () => {
  const wrong = { norm: "xyxy_1000" };
  const { code, err } = await compareAll(["--data", "mine:val", "--name", "refused"], wrong);
  expect(code).toBe(2);
  expect(err).toMatch(/norm\.jsonl: .*--coordinates xywh_norm.*norm\.jsonl:1: \[0\.02, 0\.1, /);
  for (const name of Object.keys(files).filter((each) => each !== "norm.jsonl"))
    expect(err).not.toContain(name);
  expect(existsSync(join(folder, "runs/comparisons/refused"))).toBe(false);
});

test("questions come back as answers, and a list of reviewed expressions gives both figures", async () => {
  const asking = await run(
    "dataset",
    "export",
    "mine",
    "--for",
    "vlm",
    "--split",
    "val",
    "--out",
    "questions.jsonl",
  );
  expect(asking.code, asking.err).toBe(0);
  const questions = readFileSync(join(folder, "questions.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(questions).toHaveLength(numbers.val);
  expect(questions.every(({ image }) => existsSync(image))).toBe(true);
  const boxes = madeBoxes(
    asked.filter(({ split }) => split === "val"),
    16,
  );
  writeFileSync(
    join(folder, "answered.jsonl"),
    lines(
      questions.map((question) => {
        const at = asked.findIndex(({ sentence }) => sentence === question.expression);
        const box = scaled(boxes[at] ?? [0, 0, 1, 1], asked[at]?.size ?? [1, 1], [1000, 1000]);
        return { ...question, answer: `\`\`\`json\n[{"bbox_2d": ${JSON.stringify(box)}}]\n\`\`\`` };
      }),
    ),
  );
  const reviewed = questions.slice(10).map(({ sent_id }) => sent_id); // 6 of the 16 hits.
  writeFileSync(join(folder, "only.json"), JSON.stringify({ sent_id: reviewed }));
  const { code, out, err } = await run(
    ...["compare", "--data", "mine:val", "--results", "vlm=answered.jsonl", "--coordinates", "xyxy_1000"],
    ...["--only", "only.json", "--name", "reviewed", "--json"],
  );
  expect(code, err).toBe(0);
  const result = JSON.parse(out);
  const [{ json, models }] = result.data;
  expect(models[0].acc_at_50.mean).toBeCloseTo(0.8, 12);
  const { summary } = JSON.parse(readFileSync(join(folder, json), "utf8"));
  expect(summary.reviewed).toMatchObject({ num_sentences: 10 });
  expect(summary.reviewed.settings[0].acc_at_50.mean).toBeCloseTo(0.6, 12);
});
