import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { oneLine } from "../../src/base/plain-text.ts";
import { loadSharp } from "../../src/base/sharp.ts";
import { findSchemaErrors } from "../../src/contract/check.ts";
import type { Case, GalleryGroup, Report, TrialSpec } from "../../src/contract/generated/types.ts";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { reportJson } from "../../src/report/report-json.ts";
import { verdict } from "../../src/report/sections/verdict.ts";
import { shownInput } from "../../src/report/shown-input.ts";
import { latexAblation } from "../../src/report/tables/latex-ablation.ts";
import { latexLeaderboard } from "../../src/report/tables/latex-leaderboard.ts";
import { leaderboardCsv } from "../../src/report/tables/leaderboard-csv.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { hostileTexts } from "../helpers/hostile-texts.ts";
import { madeExplorer } from "../helpers/made-explorer.ts";
import { allBlocks } from "../helpers/report-blocks.ts";
import { failed, madeInput, madeSpec, madeSummary, madeTrial } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writtenReport } from "../helpers/write-report.ts";

/** A report in which each text that comes from outside is the next one of `texts`. */
function inputWith(texts: string[], image_file: string): ReportInput {
  let index = 0;
  const next = (): string => texts[index++ % texts.length] ?? "";
  // Labels differ, as those of an experiment do.
  const labels = Array.from({ length: 4 }, (_, number) => `${next()}${number}`);
  const [first = "", second = "", third = "", fourth = ""] = labels;
  const settings = [
    { label: first, acc: [0.6, 0.62] },
    { label: second, acc: [0.5, 0.52] },
    { label: third, acc: [0.4], baseline: { best_box: 0.8, templates: [next()] as [string] } },
  ];
  const made = madeSummary(settings);
  const strata = [next(), next(), next()];
  const shownCase: Case = {
    sent_id: 1,
    image_file,
    upright: false,
    sentence: next(),
    gt_box_xyxy: [9, 9, 50, 50],
    predictions: [first, second].map((label) => ({ label, pred_box_xyxy: [9, 9, 40, 40], iou: 0.6 })),
  };
  const group: GalleryGroup = {
    kind: "random_failures",
    subset: { by: "stratum", group: strata[0] ?? "" },
    num_found: 5,
    num_total: 9,
    examples: [{ cases: [shownCase] }],
  };
  const summary = {
    ...made,
    settings: made.settings.map((setting) => ({
      ...setting,
      strata: setting.strata.map((stratum, number) => ({ ...stratum, stratum: strata[number] ?? "" })),
    })),
    verdict: {
      ...made.verdict,
      remarks: [
        {
          kind: "below_chance" as const,
          by: "stratum" as const,
          group: strata[0] ?? "",
          acc_at_50: { mean: 0.1, low: 0.05, high: 0.2 },
          chance: 0.4,
        },
      ],
    },
    gallery: { ...made.gallery, groups: [group] },
  };
  const input = madeInput(settings, { summary, question: next(), name: "made", command: `npx ${next()}` });
  const dataset = { ...input.dataset, name: next() };
  const note = next();
  const withTexts = input.trials.map((trial) => {
    const spec: TrialSpec = { ...trial.spec, dataset: { ...trial.spec.dataset, name: dataset.name } };
    const outcome =
      trial.outcome?.state === "completed" ? { ...trial.outcome, notes: [note] } : trial.outcome;
    return { ...trial, spec, outcome, isStale: true, origin: { kind: "import" as const, from: next() } };
  });
  return {
    ...input,
    dataset,
    source: { file: next(), sets: [next()] },
    trials: [...withTexts, madeTrial(madeSpec(fourth, 0), failed(fourth, 0, next()))],
    notAsked: [madeSpec(next(), 9)],
    published: [{ split: "val", metric: "acc_at_50", low: 0.5, high: 0.6, source: next(), verified: false }],
  };
}

const harmless = ["harmless"];
const image = { file: "report/val/a.svg", alt: "a chart" };
const charts = { leaderboard: image, boxes: image, subsets: image, curves: image };

function markdownOf(input: ReportInput): string {
  const shown = shownInput(input);
  return render(
    allBlocks(
      shown,
      charts as never,
      { groups: [], unreadable: [] } as never,
      { images: [], unreadable: [] } as never,
    ),
  );
}

function parsed(markdown: string): Nodes {
  return fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
}

/** The structure of a page without its texts; addresses are code inside text. */
function shapeOf(node: Nodes): unknown {
  if (!("children" in node))
    return ["text", "inlineCode", "break"].includes(node.type) ? undefined : node.type;
  const children = node.children.map(shapeOf).filter((shape) => shape !== undefined);
  return [node.type, ...children];
}

function textOf(node: Nodes): string {
  if ("children" in node) return node.children.map(textOf).join("");
  return "value" in node ? node.value : "";
}

/** Nothing that controls a terminal or reverses text. */
function expectPlain(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
}

/** Every special character of LaTeX is escaped, and brackets are balanced. */
function expectInertLatex(text: string): void {
  const body = text.split("\n").filter((line) => !line.startsWith("%"));
  const known =
    /\\(?:(?:textbackslash|textascii(?:circum|tilde)|textless|textgreater|textbar|char34|ldots|dagger|Delta|pm|checkmark|emph|begin|end|caption|label|centering|setlength|belowcaptionskip|toprule|midrule|bottomrule|ss|ae|AE|oe|OE|[oOlLijuHrvc]|times|cdot|le|ge|to|circ|mu)(?![A-Za-z])|[{}%$#_&`'^~=."\\])/g;
  let depth = 0;
  const rest = body.join("\n").replace(known, "");
  expect(rest).not.toMatch(/[^ -~\n]|[\\%#~]/);
  for (const [brace] of rest.matchAll(/[{}]/g)) {
    depth += brace === "{" ? 1 : -1;
    if (depth < 0) break;
  }
  expect(depth).toBe(0);
  expect([...text.matchAll(/\\(begin|end)\{(\w+)\}/g)].map(([, , name]) => name)).toEqual([
    "table",
    "tabular",
    "tabular",
    "table",
  ]);
}

/** Without characters that are replaced, or that a page does not show. */
function isShownUnchanged(text: string): boolean {
  return oneLine(text) === text && text.trim() === text && !/ {2}|\u200b/.test(text);
}

/** Lists of texts, each of which is a hostile one, two of them together, or any other. The longest is in the whole report below. */
const shortTexts = hostileTexts.filter((text) => text.length < 1000);
const short = fc.constantFrom(...shortTexts);
const texts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: short },
    fc.tuple(short, short).map(([a, b]) => a + b),
    fc.string({ unit: "binary", minLength: 1 }),
  ),
  { minLength: 1, maxLength: 20 },
);
const runs = { numRuns: 40 };
const expectedShape = shapeOf(parsed(markdownOf(inputWith(harmless, "/a.png"))));

describe("texts of others in a report", () => {
  test("leave the markdown's tables, links and images as they are", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const markdown = markdownOf(inputWith(list, "/a.png"));
        expect(shapeOf(parsed(markdown))).toEqual(expectedShape);
        expectPlain(markdown);
      }),
      runs,
    );
  });

  test.each(
    shortTexts.map((text) => [oneLine(text).slice(0, 70), text]),
  )("are plain text in markdown and LaTeX: %s", (_, text) => {
    const input = inputWith([text], "/a.png");
    const markdown = markdownOf(input);
    const tree = parsed(markdown);
    expect(shapeOf(tree)).toEqual(expectedShape);
    expectPlain(markdown);
    if (isShownUnchanged(text)) expect(textOf(tree)).toContain(text);
    expectInertLatex(latexLeaderboard(reportJson(shownInput(input))));
  });

  test("are in report.json as they were", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const input = inputWith(list, "/a.png");
        const report = JSON.parse(JSON.stringify(reportJson(input)));
        expect(findSchemaErrors("Report", report)).toEqual([]);
        expect(report.question).toBe(input.question);
        expect(report.summary).toEqual(input.summary);
      }),
      runs,
    );
  });

  test("are cells of the CSV, and no formulas", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const report = reportJson(shownInput(inputWith(list, "/a.png")));
        const csv = leaderboardCsv(report);
        const rows = parse(csv, { columns: true }) as Record<string, string>[];
        expect(rows).toHaveLength(report.summary.settings.length);
        for (const [index, { label = "" }] of rows.entries()) {
          expect(label.replace(/^'/, "")).toBe(report.summary.settings[index]?.label.replace(/^'/, ""));
          expect(label).not.toMatch(/^[=+\-@\t\r]/);
        }
        expectPlain(csv);
      }),
      runs,
    );
  });

  test("run nothing in LaTeX", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const report: Report = reportJson(shownInput(inputWith(list, "/a.png")));
        expectInertLatex(latexLeaderboard(report));
        expectInertLatex(latexAblation(report, [report]));
      }),
      runs,
    );
  });

  test("control no terminal", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const written: string[] = [];
        const stream = { write: (text: string) => written.push(text), isTTY: true };
        const terminal = makeTerminal({ stdout: stream, stderr: stream, env: { TERM: "dumb" } });
        const text = verdict(inputWith(list, "/a.png"));
        terminal.info(text);
        terminal.warn(text);
        terminal.result(text);
        expect(written).toHaveLength(3);
        for (const each of written) expectPlain(each);
      }),
      runs,
    );
  });
});

describe("a whole report of hostile texts", () => {
  beforeAll(loadSharp);

  test("has the structure of any other, in markdown, HTML and images", async () => {
    const folder = tempFolder();
    const photo = join(folder, "image-0.png");
    await sharp({ create: { width: 80, height: 60, channels: 3, background: "gray" } }).toFile(photo);
    const write = (list: string[]): ReturnType<typeof writtenReport> => {
      const expressions = [...hostileTexts.keys()].map((row) => ({
        sentence: list[row % list.length] ?? "",
        image: 0,
        stratum: list[0] ?? "",
        category: list[(row + 1) % list.length] ?? "",
        answers: [row % 2, 0],
      }));
      const explorer = madeExplorer([`${list[0]}`, `${list[1] ?? ""}1`], expressions, { images_dir: folder });
      return writtenReport(inputWith(list, photo), tempFolder(), explorer);
    };
    const hostile = await write(hostileTexts);
    const usual = await write(harmless);
    expect(shapeOf(parsed(hostile.read("REPORT.md")))).toEqual(shapeOf(parsed(usual.read("REPORT.md"))));
    const page = hostile.read("REPORT.html");
    expect(tagsOf(page)).toEqual(tagsOf(usual.read("REPORT.html")));
    expectPlain(page);
    expect(page).not.toMatch(/(href|src)="(?!#|data:image)/);
    const place = join(hostile.folder, "report/val");
    const images = readdirSync(place).filter((name) => /\.(svg|png)$/.test(name));
    expect(images.length).toBeGreaterThan(2);
    for (const name of images) {
      expect((await sharp(join(place, name)).metadata()).width).toBeGreaterThan(0);
      if (name.endsWith(".svg"))
        expect(hostile.read(join("report/val", name))).not.toMatch(/<(script|img|a|foreignObject)\b/);
    }
  });
});

/** How often each tag is in a page; addresses are code inside text. */
function tagsOf(html: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, tag = ""] of html.matchAll(/<(\/?[a-z!][^\s>"']*)(?:\s+[^\s=>]+(?:="[^"]*")?)*\s*\/?>/gi))
    if (!/^\/?code$/.test(tag)) counts[tag] = (counts[tag] ?? 0) + 1;
  return counts;
}
