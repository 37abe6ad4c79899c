import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import fc from "fast-check";
import type { RootContent } from "mdast";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { oneLine } from "../../src/base/plain-text.ts";
import { loadSharp } from "../../src/base/sharp.ts";
import type { Explorer } from "../../src/contract/generated/types.ts";
import { htmlReport } from "../../src/report/html/html-report.ts";
import { heading, paragraph, table } from "../../src/report/markdown.ts";
import { findChromium, howToGetChromium, startChromium } from "../helpers/chromium.ts";
import { type MadeExpression, madeExplorer, writeImages } from "../helpers/made-explorer.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const executable = findChromium();
const title = "REPORT.html in Chromium";

const attacks: [string, string][] = [
  ["the end of a script", "</script><script>window.attacked = 1</script>"],
  ["a comment in a script", "<!--<script>window.attacked = 1"],
  ["an image with a handler", '<img src=x onerror="window.attacked = 1">'],
  ["an attribute", '" onmouseover="window.attacked = 1" x="'],
  ["a link in Markdown", "[click](javascript:window.attacked=1)"],
  ["an image in Markdown", "![x](https://example.com/x.png)"],
  ["a style", "</style><style>body{display:none}</style>"],
  ["separators of lines", "a\u2028b\u2029c"],
  ["emoji", "the 🧑🏽‍🚀 with the 🫖"],
  ["control characters", "a\u0000\u001b[31mb\u0007"],
  ["marks of direction", "a\u202egnp.exe\u202c b\u2067c"],
];

if (process.env.CLIPRPN_TEST_BROWSER === "1")
  test("Chromium is installed", () => expect(executable, howToGetChromium).toBeDefined());

describe.skipIf(executable === undefined)(
  executable === undefined ? `${title}, skipped: ${howToGetChromium}` : title,
  () => {
    const folder = sharedFolder("report-page");
    let browser: Browser;

    beforeAll(async () => {
      browser = await startChromium(executable ?? "");
      await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
      await writeImages(folder, 4);
    });
    afterAll(() => browser?.close());

    test("sorts a table with the keyboard, both ways and back", async () => {
      const { page } = await open(browser, folder);
      const column = (index: number): Promise<string[]> =>
        page.locator(`main > .scroll table tbody td:nth-child(${index})`).allTextContents();
      const accuracy = page.getByRole("columnheader", { name: "Acc@0.5" });
      await accuracy.getByRole("button").focus();
      await page.keyboard.press("Enter");
      expect(await accuracy.getAttribute("aria-sort")).toBe("descending");
      expect(await column(2)).toEqual([
        "71.6 (69.0 to 74.0)",
        "50.2 (47.1 to 53.0)",
        "9.8 (8.0 to 11.0)",
        "–",
      ]);
      await page.keyboard.press("Enter");
      expect(await accuracy.getAttribute("aria-sort")).toBe("ascending");
      expect(await column(1)).toEqual(["film", "token", "concatenation", "whole image"]);
      await page.keyboard.press("Space");
      expect(await accuracy.getAttribute("aria-sort")).toBeNull();
      expect(await column(1)).toEqual(["concatenation", "film", "token", "whole image"]);
    });

    test("selects expressions with the keyboard: A right, B wrong, in a subset, with an error class", async () => {
      const { page } = await open(browser, folder);
      expect(await status(page)).toContain("30 of 30 expressions in 4 images");
      await page.getByLabel("Answers", { exact: true }).focus();
      await page.keyboard.type("A right");
      await page.keyboard.press("Tab");
      expect(await status(page)).toContain("10 of 30 expressions");
      expect(await status(page)).toContain("100.0 %, B (\u2068token\u2069) 0.0 %");
      await page.getByLabel("Subset", { exact: true }).selectOption({ label: "two hop" });
      expect(await status(page)).toContain("5 of 30 expressions");
      await page.getByLabel("Answer of B").selectOption({ label: "wrong category" });
      expect(await status(page)).toContain("None of the 30 expressions match");
      await page.getByRole("button", { name: "Reset filters" }).press("Enter");
      expect(await status(page)).toContain("30 of 30 expressions");
      await page.getByLabel("Expression contains").focus();
      await page.keyboard.type("CUP 17");
      expect(await page.locator(".card .sentence").allTextContents()).toEqual(["the cup 17"]);
    });

    test("the table of right and wrong answers selects what it counts", async () => {
      const { page } = await open(browser, folder);
      const cell = page.getByRole("button", { name: "A right, B wrong: 10 expressions" });
      await cell.press("Enter");
      expect(await status(page)).toContain("10 of 30 expressions");
      expect(await cell.getAttribute("aria-pressed")).toBe("true");
      expect(await page.locator(":focus").getAttribute("data-outcome")).toBe("a_only");
      await cell.press("Space");
      expect(await status(page)).toContain("30 of 30 expressions");
    });

    test("turns pages with the keyboard, and the focus follows", async () => {
      const { page } = await open(browser, folder);
      expect(await page.locator(".card").count()).toBe(24);
      await page.getByRole("button", { name: "Next" }).press("Enter");
      expect(await page.locator(".card").count()).toBe(6);
      expect(await status(page)).toContain("Page 2 of 2");
      expect(await page.locator(":focus").getAttribute("role")).toBe("status");
      expect(await page.getByRole("button", { name: "Next" }).isDisabled()).toBe(true);
    });

    test("boxes of all configurations differ in letter and line, not only in color", async () => {
      const { page } = await open(browser, folder);
      for (const box of await page.getByRole("checkbox").all()) await box.check();
      const first = page.locator(".card").first();
      const boxes = await first.locator(".image svg > g").all();
      const lines = await Promise.all(
        boxes.map(async (box) => {
          const rects = box.locator("> rect");
          return `${await rects.count()} ${await rects.last().getAttribute("stroke-dasharray")}`;
        }),
      );
      expect(await first.locator(".letter text").allTextContents()).toEqual(["C", "B", "A", "GT"]);
      expect(new Set(lines).size).toBe(4);
      expect(await first.locator("img").getAttribute("alt")).toContain("image-");
    });

    test.each([
      "light",
      "dark",
    ] as const)("has no barrier that axe finds, in %s colors", async (colorScheme) => {
      const { page } = await open(browser, folder, { colorScheme });
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8"));
      const { violations } = await page.evaluate<AxeResults>("axe.run()");
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
    });

    test("prints the report and the selected expressions, without controls, on white", async () => {
      const { page } = await open(browser, folder, { colorScheme: "dark" });
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      expect(await page.locator("select").first().isVisible()).toBe(false);
      expect(await page.locator(".contents").isVisible()).toBe(false);
      expect(await page.locator(".status").isVisible()).toBe(true);
      expect(await page.locator(".print-only").isVisible()).toBe(true);
      expect(await page.locator(".print-only").textContent()).toContain("all expressions");
      expect(await page.locator(".card").first().isVisible()).toBe(true);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(
        "rgb(255, 255, 255)",
      );
      const pdf = await page.pdf({ format: "A4" });
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    });

    test("fits a narrow window", async () => {
      const { page } = await open(browser, folder, { viewport: { width: 360, height: 700 } });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    });

    test("the first Tab leads past the contents, and the focus is visible", async () => {
      const { page } = await open(browser, folder);
      await page.keyboard.press("Tab");
      const focused = page.locator(":focus");
      expect(await focused.textContent()).toBe("Skip to the report");
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    });

    test.each(attacks)("shows as text: %s", async (_, text) => {
      const expressions = [{ sentence: text, image: 0, stratum: text, category: text, answers: [0, 2, 4] }];
      const made = madeExplorer([text, "film", "token"], [...expressions, ...manyExpressions], {
        images_dir: folder,
      });
      const { page } = await open(browser, folder, {}, { title: text, label: text, explorer: made });
      const shown = oneLine(text);
      expect(await page.locator(".card .sentence").first().textContent()).toBe(shown);
      expect(await page.locator("h1").textContent()).toBe(shown);
      expect(await page.locator("main > .scroll td").first().textContent()).toBe(shown);
      expect(await page.locator("script").count()).toBe(2);
      expect(await page.locator("img[onerror]").count()).toBe(0);
    });

    test("random texts are shown as they are in tables, options and expressions", async () => {
      const parts = fc.oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
        fc.constantFrom(
          "<",
          ">",
          "</td>",
          "&amp;",
          "'",
          '"',
          "`",
          "|",
          "]]>",
          "<!--",
          "${",
          "\u2028",
          "\ud83d",
        ),
      );
      const texts = fc.sample(
        fc.array(parts, { minLength: 1, maxLength: 6 }).map((each) => each.join("")),
        { numRuns: 150, seed: 1 },
      );
      const explorer = madeExplorer(
        texts.slice(0, 10),
        texts.map((sentence) => ({ sentence, image: 0, answers: texts.slice(0, 10).map(() => 0) })),
        { images_dir: folder },
      );
      const labels = table(
        ["configuration"],
        texts.map((text) => [text]),
      );
      const { page } = await open(browser, folder, {}, { explorer, more: [labels] });
      const shown = texts.map(oneLine);
      const cells = await page.locator("main > .scroll:last-of-type td").allTextContents();
      expect(cells.map(oneLine)).toEqual(shown);
      expect(await page.locator("select[name=a] option").allTextContents()).toEqual(shown.slice(0, 10));
      await page.getByLabel("Order").selectOption("dataset");
      expect(await page.locator(".card .sentence").allTextContents()).toEqual(shown.slice(0, 24));
    });

    test("an expression from right to left changes the direction of itself only", async () => {
      const expressions = [{ sentence: "הכוס האדומה", image: 0, answers: [0, 2] }];
      const explorer = madeExplorer(["כוס (A)", "film"], expressions, { images_dir: folder });
      const { page } = await open(browser, folder, {}, { explorer });
      const direction = (selector: string): Promise<unknown> =>
        page.evaluate(`getComputedStyle(document.querySelector("${selector}")).direction`);
      expect(await direction(".sentence")).toBe("rtl");
      expect(await direction(".answers li")).toBe("ltr");
      const [label, iou] = await Promise.all(
        [".answer-label", ".answer-result"].map((part) =>
          page.locator(`.answers li:nth-child(2) ${part}`).boundingBox(),
        ),
      );
      expect(label?.x).toBeLessThan(iou?.x ?? 0);
    });

    test("2,000 words are clipped, and a button shows them all", async () => {
      const sentence = Array.from({ length: 2000 }, (_, index) => `word${index}`).join(" ");
      const explorer = madeExplorer(["film", "token"], [{ sentence, image: 0, answers: [0, 2] }], {
        images_dir: folder,
      });
      const { page } = await open(browser, folder, {}, { explorer });
      const height = async (): Promise<number> =>
        (await page.locator(".sentence").boundingBox())?.height ?? 0;
      const clipped = await height();
      expect(clipped).toBeLessThan(150);
      const toggle = page.getByRole("button", { name: "Show all 2,000 words" });
      await toggle.press("Enter");
      expect(await height()).toBeGreaterThan(10 * clipped);
      expect(await page.getByRole("button", { name: "Show less" }).getAttribute("aria-expanded")).toBe(
        "true",
      );
    });
  },
);

const manyExpressions: MadeExpression[] = Array.from({ length: 30 }, (_, row) => ({
  sentence: `the cup ${row}`,
  image: row % 4,
  stratum: row % 2 === 0 ? "attribute" : "two_hop",
  category: row % 3 === 0 ? "cup" : "plate",
  answers: [row % 3 === 2 ? 3 : 0, row % 3 === 0 ? 0 : 2, 4],
}));

interface Made {
  title: string;
  label: string;
  explorer: Explorer;
  /** Blocks at the end of the report. */
  more: RootContent[];
}

/** Opens a page, and fails the test at its end if anything went wrong in it. */
async function open(
  browser: Browser,
  folder: string,
  options: Parameters<Browser["newPage"]>[0] = {},
  made: Partial<Made> = {},
): Promise<{ page: Page }> {
  const explorer =
    made.explorer ?? madeExplorer(["film", "token", "x"], manyExpressions, { images_dir: folder });
  const text = await htmlReport(
    {
      title: made.title ?? "Which is best?",
      main: [heading(1, made.title ?? "Which is best?"), paragraph("film is best."), ...board(made.label)],
      details: [heading(2, "Definitions"), paragraph("A hit has IoU >= 0.5."), ...(made.more ?? [])],
      explorer,
      isDemo: false,
      noun: "configuration" as const,
    },
    folder,
  );
  const file = join(folder, `page-${++numPages}.html`);
  writeFileSync(file, text);
  const page = await browser.newPage(options);
  const url = pathToFileURL(file).href;
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("dialog", (dialog) => problems.push(dialog.message()));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) problems.push(request.url());
  });
  await page.goto(url);
  onTestFinished(async () => {
    expect(await page.evaluate("'attacked' in window")).toBe(false);
    await page.close();
    expect(problems).toEqual([]);
  });
  return { page };
}

let numPages = 0;

function board(label = "concatenation") {
  return [
    heading(2, "Leaderboard"),
    table(
      ["configuration", "Acc@0.5", "time"],
      [
        [label, "71.6 (69.0 to 74.0)", "1 min 3 s"],
        ["film", "9.8 (8.0 to 11.0)", "2.5 s"],
        ["token", "50.2 (47.1 to 53.0)", "1 h 2 min"],
        ["whole image", "–", "–"],
      ],
    ),
  ];
}

async function status(page: Page): Promise<string> {
  return (await page.getByRole("status").textContent()) ?? "";
}
