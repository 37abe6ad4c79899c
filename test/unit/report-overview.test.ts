import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import type { Overview } from "../../src/contract/generated/types.ts";
import { splitsChart } from "../../src/report/charts/splits.ts";
import { render } from "../../src/report/markdown.ts";
import { combinedVerdict } from "../../src/report/overview/combined-verdict.ts";
import { overviewBlocks } from "../../src/report/overview/overview-blocks.ts";
import { splitsSection } from "../../src/report/overview/splits-section.ts";
import { writeOverview } from "../../src/report/overview/write-overview.ts";
import { withStaging } from "../../src/report/staging.ts";
import { latexSplits } from "../../src/report/tables/latex-splits.ts";
import {
  type MadeModel,
  madeAnswers,
  madeCombined,
  madeComparison,
  madeOverview,
  madeSplits,
} from "../helpers/overview-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const ours: MadeModel = { label: "ours", acc: [0.62, 0.58, 0.61], kind: "cliprpn", num_runs: 3 };
const qwen: MadeModel = { label: "qwen", acc: [0.57, 0.54, 0.56] };
const mixed: MadeModel = { label: "mixed", acc: [0.55, 0.63, 0.5] };

const comparison = madeComparison([
  { label: "ours", kind: "trials", answers: [] },
  { label: "qwen", protocol: { model: "Qwen" } },
  { label: "mixed", protocol: { model: "Mixed" } },
]);

const hasLatex = (process.env.PATH ?? "").split(delimiter).some((each) => existsSync(join(each, "pdflatex")));

describe("the verdict over several splits", () => {
  test.each<[title: string, text: string, expected: string[], absent: string[]]>([
    [
      "ahead on all splits; a mixture of seeds and a file",
      combinedVerdict(madeCombined([ours, qwen]), comparison),
      [
        "ours outperforms qwen by 4.7 points Acc@0.5 averaged over refcoco-unc testA, testB and refcocog-umd test",
        "(95 % CI 2.7 to 6.7; 3 seeds of ours and 1 file of qwen, clustered by image across the datasets)",
        ": 60.3 % against 55.7 %.",
        "ours is ahead of qwen on all 3 splits.",
      ],
      ["behind", "does not include", "val", "configuration", "training again"],
    ],
    [
      "splits where it is behind are named",
      combinedVerdict(madeCombined([ours, mixed]), comparison),
      [
        "ours outperforms mixed by",
        "ours is ahead of mixed on 2 of the 3 splits: refcoco-unc testA and refcocog-umd test.",
        "ours is behind mixed on refcoco-unc testB.",
      ],
      ["on all"],
    ],
    [
      "a column outside the primary endpoint, and a model without answers on all of it",
      combinedVerdict(
        madeCombined([ours, qwen, { label: "partial", acc: [0.7, null, 0.9] }], { num_primary: 2 }),
        comparison,
      ),
      [
        "Acc@0.5 averaged over refcoco-unc testA and testB (",
        "clustered by image):",
        "ahead of qwen on all 2 splits",
        "This does not include refcocog-umd test.",
        "partial is not compared.",
      ],
      ["the nearest of", "across the datasets"],
    ],
    [
      "a primary endpoint of one split",
      combinedVerdict(madeCombined([ours, qwen], { num_primary: 1 }), comparison),
      [
        "by 5.0 points Acc@0.5 on refcoco-unc testA (",
        "does not include refcoco-unc testB and refcocog-umd test.",
      ],
      ["averaged", "splits"],
    ],
    [
      "chosen by the primary endpoint: how much it flatters itself",
      combinedVerdict(madeCombined([qwen, mixed], { optimism: 0.009 }), comparison),
      [
        "No significant difference",
        "fixed models",
        "Chosen on these images as the highest of 2",
        "overestimated by about 0.9 points.",
      ],
      ["selected on val"],
    ],
    [
      "no difference",
      combinedVerdict(
        madeCombined([qwen, { label: "old", acc: [0.56, 0.54, 0.56] }], {
          decided: { case: "no_difference" },
        }),
        comparison,
      ),
      ["No significant difference in Acc@0.5 averaged over", "minimum detectable effect 2.8 points"],
      ["ahead", "outperforms"],
    ],
    [
      "a sweep says configuration",
      combinedVerdict(
        madeCombined([ours, { ...qwen, kind: "cliprpn" }], { decided: { case: "no_hit" } }),
        undefined,
      ),
      ["No configuration has a hit: Acc@0.5 is 0.0 % averaged over refcoco-unc testA"],
      ["model"],
    ],
    [
      "many splits are counted",
      combinedVerdict(
        madeCombined(
          [1, 2].map((n) => ({ label: `m${n}`, acc: Array.from({ length: 9 }, () => 0.6 / n) })),
          {
            splits: Array.from({ length: 9 }, (_, index) => `d${index}:test`),
          },
        ),
        comparison,
      ),
      ["averaged over 9 splits", "ahead of m2 on all 9 splits"],
      ["d0"],
    ],
  ])("%s", (_, text, expected, absent) => {
    const plain = text.replaceAll("\u00a0", " ");
    for (const part of expected) expect(plain).toContain(part);
    for (const part of absent) expect(plain).not.toContain(part);
  });
});

test("the table has a column per split, the highest of each in bold, and published figures without an interval", () => {
  const combined = madeCombined([ours, mixed]);
  const published = [
    {
      label: "CogVLM",
      data: "refcoco-unc:testB",
      metric: "acc_at_50" as const,
      value: 0.9,
      source: "a paper",
    },
    { label: "elsewhere", data: "other:test", metric: "acc_at_50" as const, value: 0.8, source: "a paper" },
  ];
  const text = render(splitsSection("By split", combined, { ...comparison, published }, undefined));
  const rows = text.replaceAll("\u00a0", " ").split("\n");
  expect(rows.find((row) => row.startsWith("| ours"))).toBe(
    "| ours | **60.3 (58.3 to 62.3)** | **62.0 (60.0 to 64.0)** | 58.0 (56.0 to 60.0) | **61.0 (59.0 to 63.0)** | procedure |",
  );
  expect(rows.find((row) => row.startsWith("| mixed | 56"))).toContain("| **63.0 (61.0 to 65.0)** |");
  expect(rows.find((row) => row.includes("CogVLM"))).toBe(
    "| *CogVLM (published: a paper)* | – | – | *90.0* | – | – |",
  );
  expect(text).not.toContain("elsewhere");
  // The differences are seen from the others: mixed minus ours.
  expect(rows.findLast((row) => row.startsWith("| mixed"))).toContain("+5.0 (+3.0 to +7.0) ↑ | −11.0");
});

test("the LaTeX table has a column per split below the names of the datasets", () => {
  const text = latexSplits("a_b", madeCombined([ours, { ...mixed, label: "50% & more_" }]), comparison);
  expect(text).toContain(" & \\multicolumn{2}{c}{refcoco-unc} & \\multicolumn{1}{c}{refcocog-umd} &  \\\\");
  expect(text).toContain("\\cmidrule(lr){2-3} \\cmidrule(lr){4-4}");
  expect(text).toContain("Model & testA & testB & test & Mean \\\\");
  expect(text).toContain("50\\% \\& more\\_$^\\dagger$ & $55.0 \\pm 2.0$ & {\\boldmath$63.0 \\pm 2.0$}");
  const columns = /\\begin\{tabular\}\{(\w+)\}/.exec(text)?.[1]?.length;
  const rows = text.split("\n").filter((row) => row.startsWith("    ours"));
  expect(columns).toBe(5);
  expect(rows.map((row) => row.split(" & ").length)).toEqual([5]);
});

// TeX is no requirement of the tests: where it is missing, the text of the table is checked above.
test.runIf(hasLatex)("pdfLaTeX sets the table without errors, whatever the labels are", () => {
  const folder = tempFolder();
  const label = "50%&x_#{}$~^\\ ü µ 北 \u202e\n|";
  const combined = madeCombined([ours, { ...mixed, label }]);
  writeFileSync(join(folder, "splits.tex"), latexSplits("a_b", combined, comparison));
  const page =
    "\\documentclass{article}\\usepackage{booktabs,amssymb}\\begin{document}\\input{splits}\\end{document}";
  writeFileSync(join(folder, "page.tex"), page);
  const args = ["-interaction=nonstopmode", "-halt-on-error", "page.tex"];
  const log = execFileSync("pdflatex", args, { cwd: folder, encoding: "utf8" });
  expect(log).toContain("(1 page");
  expect(log).not.toContain("Missing character");
});

test("the chart has a row for the mean and each split; more models than colors are the best ones", () => {
  const models = Array.from({ length: 12 }, (_, index) => ({
    label: `model ${index}`,
    acc: [0.6, 0.5, 0.4].map((acc) => acc - index / 100),
  }));
  const chart = splitsChart(madeCombined(models));
  const text = JSON.stringify(chart?.spec);
  for (const row of ["mean of 3 splits", ...madeSplits]) expect(text).toContain(row);
  expect(text).toContain("8 of 12 models");
  expect(text).not.toContain("model 9");
  expect(chart?.alt).toContain("model 0 50.0");
});

describe("the overview", () => {
  test("is written with its chart, its table and a file for programs", async () => {
    const folder = tempFolder();
    const input = madeOverview(madeCombined([ours, qwen, mixed]), comparison);
    const file = await withStaging(folder, input.files.place, (staging) =>
      writeOverview(input, staging, folder),
    );
    expect(file).toBe(join(folder, "REPORT.md"));
    expect(readdirSync(folder).sort()).toEqual(["REPORT.html", "REPORT.md", "report", "report.json"]);
    expect(readdirSync(join(folder, "report/overview")).sort()).toEqual(["splits.svg", "splits.tex"]);
    const json: unknown = JSON.parse(read(folder, "report.json"));
    expect(findSchemaErrors("Overview", json)).toEqual([]);
    const { reports, verdict } = json as Overview;
    expect(reports[0]).toEqual({
      endpoint: "refcoco-unc:testA",
      text: "REPORT-refcoco-unc-testA.md",
      json: "report-refcoco-unc-testA.json",
    });
    const text = read(folder, "REPORT.md");
    expect(text).toContain(verdict.split(" (")[0]);
    expect(text).toContain("(REPORT-refcocog-umd-test.html)");
    expect(existsSync(join(folder, "report/overview/splits.tex"))).toBe(true);
  });

  test("looks, warnings and missing answers of each split are said", () => {
    const models = comparison.models.map((model) => ({
      ...model,
      answers: model.answers.map((each) => ({
        ...each,
        reports: [
          madeAnswers("a.jsonl", { num_missing: 98, num_answered: 4798, warnings: ["another numbering"] }),
        ],
      })),
    }));
    const input = madeOverview(madeCombined([ours, qwen, mixed]), { ...comparison, models });
    input.combined.notes = ["3 of 40 images of mine have no file here"];
    const [first] = input.endpoints;
    if (first !== undefined) first.dataset_warnings = ["no images"];
    const text = render(overviewBlocks(input, undefined).main);
    expect(text).toContain("look 1 at refcoco-unc:testA, 1 at refcoco-unc:testB and 1 at refcocog-umd:test");
    expect(text).toContain("**Warning about the data of refcoco-unc:testA:** no images.");
    expect(text).toContain("3 of 40 images of mine have no file here.");
    expect(text).toContain(
      "**Warning about the answers of qwen on refcoco-unc:testA, refcoco-unc:testB and refcocog-umd:test:** another numbering.",
    );
    expect(text).toContain("294 of 14,688 answers of qwen, in 3 files, are missing, and count as misses.");
    expect(text).toContain("up to 2.0 points higher on a split");
  });

  test("a label cannot break the page, the table or the markdown", async () => {
    const folder = tempFolder();
    const label = "=1+1|\u202e\u0000<script>alert(1)</script>\n# x";
    const combined = madeCombined([{ ...ours, label }, qwen]);
    const input = madeOverview(combined, {
      ...comparison,
      models: comparison.models.map((model) => (model.label === "ours" ? { ...model, label } : model)),
    });
    await withStaging(folder, input.files.place, (staging) => writeOverview(input, staging, folder));
    const [text, page, tex] = ["REPORT.md", "REPORT.html", "report/overview/splits.tex"].map((name) =>
      read(folder, name),
    );
    for (const written of [text, page, tex]) {
      expect(written).not.toMatch(/[\u202e\0]/);
      expect(written).not.toContain("\n# x");
    }
    // In the quotes of an alt text, it is text.
    expect(page?.replace(/ alt="[^"]*"/g, "")).not.toContain("<script>alert");
    expect(tex).toContain("=1+1\\textbar{}{[}U+202E{]}");
  });
});

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}
