/** `cliprpn compare` with files in four conventions of coordinates and six formats, whose figures are known exactly. */
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
});

const run = (...args: string[]): Promise<CommandResult> =>
  cliprpnWithPython(args, folder, { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_DATA: data });

interface MadeFile {
  content(): string;
  coordinates: string;
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
    hits: [18, 24],
    coordinates: "xyxy",
    content: () =>
      `sent_id,pred_x1,pred_y1,pred_x2,pred_y2,score\n${answers([18, 24], ({ sent_id }, box) => `${sent_id},${box.join(",")},0.5\n`).join("")}`,
  },
  "norm.jsonl": {
    hits: [15, 21],
    coordinates: "xywh_norm",
    content: () =>
      lines(
        answers([15, 21], ({ sent_id, size }, box) => ({ sent_id, bbox: xywh(scaled(box, size, [1, 1])) })),
      ),
  },
  "text.json": {
    hits: [12, 18],
    coordinates: "xyxy_1000",
    content: () =>
      JSON.stringify(
        answers([12, 18], ({ image, sentence, size }, box) => ({
          ...{ image, expression: sentence },
          answer: `It is here: ${JSON.stringify(scaled(box, size, [1000, 1000]))}.`,
        })),
      ),
  },
  "resized.tsv": {
    hits: [10, 15],
    coordinates: "xyxy@640x480",
    content: () =>
      `sent_id\tpred_box\n${answers([10, 15], ({ sent_id, size }, box) => `${sent_id}\t${JSON.stringify(scaled(box, size, [640, 480]))}\n`).join("")}`,
  },
};

function compareAll(...args: string[]): Promise<CommandResult> {
  const results = Object.entries(files).flatMap(([name, { coordinates }]) => {
    const label = name.replace(/\..*/, "");
    return ["--results", `${label}=answers/${name}`, "--coordinates", `${label}=${coordinates}`];
  });
  return run("compare", ...results, ...args, "--json");
}

test("the figures of files in four conventions are those of their construction, on each split", async () => {
  const { code, out, err } = await compareAll("--data", "mine:val", "--data", "mine:test", "--name", "all");
  expect(code, err).toBe(0);
  const result = JSON.parse(out);
  for (const [index, number] of [numbers.val, numbers.test].entries())
    for (const [name, { hits }] of Object.entries(files)) {
      const label = name.replace(/\..*/, "");
      const model = result.data[index].models.find((each: { label: string }) => each.label === label);
      expect(model.acc_at_50.mean, `${label} on ${result.data[index].name}`).toBeCloseTo(
        (hits[index] ?? 0) / number,
        12,
      );
      expect(model.miou.mean).toBeCloseTo((0.8 * (hits[index] ?? 0)) / number, 5);
    }
  const comparison = dirname(join(folder, result.file));
  const tex = readdirSync(comparison, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("splits.tex"),
  );
  const latex = readFileSync(join(comparison, tex[0] ?? "splits.tex"), "utf8");
  for (const value of ["90.0", "80.0", "75.0", "70.0", "60.0", "50.0"]) expect(latex).toContain(value);
});

test("boxes in another convention than the named one are refused with the one that fits", async () => {
  const { code, err } = await run(
    ...[
      "compare",
      "--data",
      "mine:val",
      "--results",
      "norm=answers/norm.jsonl",
      "--coordinates",
      "xyxy_1000",
    ],
  );
  expect(code).toBe(2);
  expect(err).toMatch(/xywh_norm/);
  expect(err).toContain("norm.jsonl");
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
