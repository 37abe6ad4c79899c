import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { describe, expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import type { Report, Reviewed, StoredComparison } from "../../src/contract/generated/types.ts";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { coordinatesText } from "../../src/report/sections/answers.ts";
import { conventions } from "../../src/report/sections/conventions.ts";
import { definitions } from "../../src/report/sections/definitions.ts";
import { protocol, protocolRemarks } from "../../src/report/sections/protocol.ts";
import { reviewed } from "../../src/report/sections/reviewed.ts";
import { verdict } from "../../src/report/sections/verdict.ts";
import { otherRemarks } from "../../src/report/sections/verdict-remarks.ts";
import { hostileTexts } from "../helpers/hostile-texts.ts";
import { madeAnswers, madeComparison } from "../helpers/overview-input.ts";
import { type MadeSetting, madeComparisonInput } from "../helpers/report-input.ts";
import { writtenReport } from "../helpers/write-report.ts";

const data = ["mine:val"];
const ours: MadeSetting = { label: "ours", acc: [0.6, 0.62] };
const qwen: MadeSetting = { label: "qwen", acc: [0.56, 0.55, 0.54] };
const mdetr: MadeSetting = { label: "mdetr", acc: [0.5] };
const asked = { model: "Qwen2.5-VL", prompt: "Locate {expression}.", max_pixels: 1003520 };
const three = madeComparison(
  [
    { label: "ours", kind: "trials", answers: [] },
    { label: "qwen", repeats: "decoding", protocol: asked },
    { label: "mdetr", protocol: { model: "MDETR", prompt: "the expression" } },
  ],
  data,
);

describe("the verdict names runs as what they are", () => {
  test.each<[title: string, input: ReportInput, expected: string[], absent: string[]]>([
    [
      "seeds of a ClipRPN and decoding runs of a VLM",
      madeComparisonInput([ours, qwen, mdetr], three),
      [
        "ours outperforms qwen, the nearest of 2,",
        "points Acc@0.5 on mine val (",
        "2 seeds of ours and 3 decoding runs of qwen, clustered",
      ],
      ["configuration", "checkpoints:", "training again"],
    ],
    [
      "fixed models have no runs",
      madeComparisonInput(
        [{ label: "a", acc: [0.6] }, mdetr],
        madeComparison([{ label: "a" }, { label: "mdetr" }], data),
      ),
      [
        "a outperforms mdetr by",
        "fixed models, clustered by image",
        "No protocol is declared for a and mdetr.",
      ],
      ["seed", "training again"],
    ],
    [
      "repeats of one kind on both sides",
      madeComparisonInput(
        [
          { label: "a", acc: [0.6, 0.6] },
          { label: "b", acc: [0.5, 0.5] },
        ],
        madeComparison(
          [
            { label: "a", repeats: "prompt" },
            { label: "b", repeats: "prompt" },
          ],
          data,
        ),
      ),
      ["; 2 prompts, clustered by image)"],
      ["seed"],
    ],
    [
      "one seed of a ClipRPN beside a file: only training again is unknown",
      madeComparisonInput(
        [{ label: "ours", acc: [0.6] }, mdetr],
        three,
        {},
        { case: "checkpoints", beaten: ["mdetr"] },
      ),
      [
        "These checkpoints: ours is ahead of mdetr",
        "With one seed of ours, this says nothing about training again.",
      ],
      ["one seed each"],
    ],
  ])("%s", (_, input, expected, absent) => {
    const text = verdict(input).replaceAll("\u00a0", " ");
    for (const part of expected) expect(text).toContain(part);
    for (const part of absent) expect(text).not.toContain(part);
  });
});

test("a best that was chosen on the split is not called selected on val", () => {
  const input = madeComparisonInput(
    [qwen, mdetr],
    madeComparison([{ label: "qwen" }, { label: "mdetr" }], ["mine:test"]),
  );
  expect(otherRemarks(input).join(" ")).not.toContain("on val");
  const mixed = madeComparisonInput(
    [ours, mdetr],
    madeComparison([{ label: "ours" }, { label: "mdetr" }], ["mine:test"]),
  );
  expect(otherRemarks(mixed).join(" ")).toContain("Epochs of trained models were selected on val.");
  expect(render(definitions(input.summary))).not.toContain("selected on val");
});

test("a report of files alone has no section of trials, scores or empty expressions", async () => {
  const comparison = madeComparison([{ label: "a" }, { label: "=b" }], data);
  const input = madeComparisonInput(
    [
      { label: "a", acc: [0.6] },
      { label: "=b", acc: [0.5] },
    ],
    comparison,
  );
  const { read } = await writtenReport(input);
  const text = read("REPORT.md");
  const titles = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(titles).toContain("Answers");
  for (const absent of [
    "Time and memory",
    "Environment",
    "Learning curves",
    "Confidence of the answers",
    "What differs",
    "Trials without a result",
    "Protocol",
  ])
    expect(titles).not.toContain(absent);
  expect(text).toContain("2 models, with 2 files of answers.");
  for (const word of ["configuration", "image only", "Image only", "seed", "sweep", "undefined", "NaN"])
    expect(text).not.toContain(word);
  const report = JSON.parse(read("report.json")) as Report;
  expect(findSchemaErrors("Report", report)).toEqual([]);
  expect(report.settings.map(({ label, kind }) => [label, kind])).toEqual([
    ["a", "results"],
    ["=b", "results"],
  ]);
  expect(report.comparison?.models.map(({ label }) => label)).toEqual(["a", "=b"]);
  // A spreadsheet would run it.
  expect(read("report/val/leaderboard.csv")).toContain("'=b,results");
  expect(read("report/val/leaderboard.tex")).toContain("Model & Acc@0.5");
});

test("a published figure stands in the leaderboard, marked, and in no comparison", async () => {
  const published: StoredComparison["published"] = [
    { label: "CogVLM", data: "mine:val", metric: "acc_at_50", value: 0.901, source: "a paper" },
    { label: "other", data: "mine:test", metric: "acc_at_50", value: 0.8, source: "a paper" },
  ];
  const { read } = await writtenReport(madeComparisonInput([ours, qwen, mdetr], { ...three, published }));
  const rows = read("REPORT.md")
    .split("\n")
    .filter((row) => row.includes("CogVLM"));
  expect(rows).toHaveLength(1);
  expect(rows[0]).toContain("| *CogVLM (published: a paper)* | – | *90.1* | – |");
  expect(read("REPORT.md")).not.toContain("| *other");
  expect(JSON.stringify((JSON.parse(read("report.json")) as Report).summary)).not.toContain("CogVLM");
});

describe("files of answers", () => {
  const report = madeAnswers("runs/qwen.jsonl", {
    format: "lmms_eval",
    num_answered: 4840,
    num_missing: 40,
    num_unparsed: 16,
    num_duplicates: 3,
    num_by_sent_id: 4000,
    num_by_text: 850,
    examples: [{ kind: "unparsed", where: "qwen.jsonl:12", text: "=1+1 \u202e <b> | x" }],
  });
  const comparison: StoredComparison = {
    ...three,
    models: three.models.map((model) =>
      model.label === "qwen" ? { ...model, answers: [{ data: "mine:val", reports: [report] }] } : model,
    ),
  };

  test("say how they were read and matched, and what is missing", async () => {
    const { read } = await writtenReport(madeComparisonInput([ours, qwen, mdetr], comparison));
    const text = read("REPORT.md");
    expect(text).toContain("| qwen | `qwen.jsonl` | lmms-eval | xyxy | 4,840 of 4,896 | 40 | 16 | 3 |");
    expect(text).toContain("matched 4,000 by sent_id and 850 by image and expression");
    expect(text).toContain("| qwen | unparsed | qwen.jsonl:12 | =1+1 \\[U+202E] \\<b> \\| x |");
    expect(text).toContain(
      "56 of 4,896 answers of qwen are missing or without a box that can be read, and count as misses. With all of them right, its Acc@0.5 would be 1.1 points higher.",
    );
  });

  test("few missing answers are no limitation", async () => {
    const one = { ...report, num_answered: 4895, num_missing: 1, num_unparsed: 0 };
    const models = comparison.models.map((model) =>
      model.label === "qwen" ? { ...model, answers: [{ data: "mine:val", reports: [one] }] } : model,
    );
    const { read } = await writtenReport(madeComparisonInput([ours, qwen, mdetr], { ...three, models }));
    expect(read("REPORT.md")).not.toContain("count as misses. With");
  });

  test("missing answers that could make the difference are said beside the verdict", () => {
    const many = { ...report, num_answered: 4596, num_missing: 300, num_unparsed: 0 };
    const models = comparison.models.map((model) =>
      model.label === "qwen" ? { ...model, answers: [{ data: "mine:val", reports: [many] }] } : model,
    );
    expect(verdict(madeComparisonInput([ours, qwen, mdetr], { ...three, models }))).toContain(
      "6.1 % of the answers of qwen are missing or have no box, which alone could make this difference.",
    );
    expect(verdict(madeComparisonInput([ours, qwen, mdetr], comparison))).not.toContain("alone could make");
  });

  test.each([
    ["xywh_1000", { box_format: "xywh_1000" as const, frame: { kind: "original" as const } }],
    [
      "xyxy@640x480",
      { box_format: "xyxy" as const, frame: { kind: "fixed" as const, width: 640, height: 480 } },
    ],
    [
      "xyxy@short:800:1333",
      { box_format: "xyxy" as const, frame: { kind: "short_side" as const, length: 800, max_length: 1333 } },
    ],
    [
      "xyxy@smart:28:3136:12845056",
      {
        box_format: "xyxy" as const,
        frame: { kind: "smart_resize" as const, factor: 28, min_pixels: 3136, max_pixels: 12845056 },
      },
    ],
  ])("coordinates are written as they are typed: %s", (text, coordinates) => {
    expect(coordinatesText(coordinates)).toBe(text);
  });
});

describe("protocols", () => {
  const both = (a: object, b: object): StoredComparison =>
    madeComparison(
      [
        { label: "a", protocol: a },
        { label: "b", protocol: b },
      ],
      data,
    );

  test.each<[title: string, comparison: StoredComparison, sentences: string[]]>([
    ["the same", both(asked, asked), []],
    [
      "of one model: prompt and pixels differ",
      both(asked, { ...asked, prompt: "x", max_pixels: 7 }),
      ["a and b are the same model, and differ in prompt and max_pixels"],
    ],
    [
      "a parameter of the decoding differs",
      both({ decoding: { temperature: 0, top_p: 1 } }, { decoding: { temperature: 1, top_p: 1 } }),
      ["a and b differ in temperature"],
    ],
    [
      "weights of different models always differ",
      both({ model: "x", weights: "1" }, { model: "y", weights: "2" }),
      [],
    ],
    [
      "declared for one of them only",
      both({ ...asked, decoding: { temperature: 0 } }, asked),
      ["Only a declares temperature, not b"],
    ],
    [
      "undeclared",
      both(asked, {}),
      ["Only a declares prompt and max_pixels, not b", "No protocol is declared for b"],
    ],
  ])("%s", (_, comparison, sentences) => {
    expect(protocolRemarks(comparison, ["a", "b"])).toEqual(sentences);
  });

  test("models that the verdict does not name are compared if they are the same model", () => {
    const comparison = madeComparison(
      [
        { label: "best", protocol: { model: "z" } },
        { label: "a", protocol: asked },
        { label: "b", protocol: { ...asked, prompt: "x" } },
      ],
      data,
    );
    expect(protocolRemarks(comparison, ["best", "a"])).toContain(
      "a and b are the same model, and differ in prompt",
    );
  });

  test("the table has what is declared, and prompts below it", () => {
    const text = render(protocol(both(asked, { model: "other" })));
    expect(text).toContain("| compared model | model | max_pixels |");
    expect(text).toContain("| a | Qwen2.5-VL | 1003520 |");
    expect(text).toContain("- a, prompt: `Locate {expression}.`");
    expect(protocol(both({}, {}))).toEqual([]);
  });
});

test("other conventions are shown if they change a figure that is shown", () => {
  const { summary } = madeComparisonInput([ours, qwen, mdetr], three);
  const text = render(conventions(summary));
  expect(text).toContain("| model | Acc@0.5 | +1 pixel |");
  expect(text).toContain("| mdetr | 50.0 | 50.2 (+0.2) |");
  const settings = summary.settings.map((setting) => ({ ...setting, conventions: [] }));
  expect(conventions({ ...summary, settings })).toEqual([]);
});

describe("reviewed expressions", () => {
  const figure = (label: string, mean: number, rank_all: number, rank_reviewed: number) => ({
    label,
    acc_at_50: { mean, low: mean - 0.02, high: mean + 0.02 },
    rank_all,
    rank_reviewed,
  });
  const of = (order_changes: boolean): Reviewed => ({
    name: "ref-l4",
    num_sentences: 800,
    num_images: 300,
    order_changes,
    settings: order_changes
      ? [figure("ours", 0.6, 1, 2), figure("qwen", 0.63, 2, 1)]
      : [figure("ours", 0.64, 1, 1), figure("qwen", 0.6, 2, 2)],
    comparisons: [],
  });

  test("both figures, both ranks, and whether the order changes", () => {
    const input = madeComparisonInput([ours, qwen], three, { reviewed: of(true) });
    const text = render(reviewed(input.summary)).replaceAll("\u00a0", " ");
    expect(text).toContain(
      "800 of the 965 expressions, in 300 images. The order of the models changes: ours and qwen",
    );
    expect(text).toContain("| qwen | 55.0 (53.0 to 57.0) | 63.0 (61.0 to 65.0) | 2 | 1 |");
    expect(verdict(input)).toContain(
      "On the expressions of ref-l4, qwen is first, with an Acc@0.5 of 63.0 % against 60.0 %.",
    );
  });

  test("nothing is said beside the verdict if the order stays", () => {
    const input = madeComparisonInput([ours, qwen], three, { reviewed: of(false) });
    expect(render(reviewed(input.summary))).toContain("The order of the models is the same");
    expect(verdict(input)).not.toContain("ref-l4");
  });
});

test("text of files and protocols stays text", async () => {
  const texts = hostileTexts.map((text) => text.slice(0, 300));
  const answersOf = madeAnswers("=1+1|<b>.jsonl", {
    num_missing: 100,
    notes: texts,
    warnings: texts,
    examples: texts.map((text) => ({ kind: "stranger", where: text, text })),
  });
  const comparison = madeComparison(
    [
      { label: "ours", kind: "trials", answers: [] },
      ...texts.slice(0, 7).map((text, index) => ({
        label: `${texts.at(-index) ?? ""}${index}`,
        protocol: { model: text, prompt: texts.join(" "), notes: text, revision: texts.at(-index) ?? "" },
        answers: [{ data: "mine:val", reports: [answersOf] }],
      })),
    ],
    data,
  );
  const models = comparison.models.map(({ label }) => (label === "ours" ? ours : { label, acc: [0.5] }));
  const { read } = await writtenReport(madeComparisonInput(models, comparison));
  for (const name of ["REPORT.md", "REPORT.html", "report/val/leaderboard.tex"]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(read(name)).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]/);
  }
  const page = read("REPORT.html").replace(/ (alt|aria-label)="[^"]*"/g, "");
  expect(page).not.toMatch(/<script>alert|<img src=x|<a href="(https:|javascript:)/);
  expect(read("REPORT.md").match(/^# .*$/gm)).toEqual(["# Which model grounds best?"]);
  const tree = fromMarkdown(read("REPORT.md"), { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const others = urlsOf(tree).filter((url) => !/^report(\/val\/[\w-]+\.\w+|\.json)$/.test(url));
  expect(others).toEqual([]);
});

/** Of all links and images. */
function urlsOf(node: Nodes): string[] {
  return [
    ...("url" in node ? [node.url] : []),
    ...("children" in node ? node.children.flatMap((child) => urlsOf(child)) : []),
  ];
}
