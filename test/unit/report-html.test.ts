import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import type { Explorer } from "../../src/contract/generated/types.ts";
import { firstFilter, selectRows } from "../../src/report/html/browser/filters.ts";
import { sortedOrder, sortKey } from "../../src/report/html/browser/sort-keys.ts";
import { embedJson } from "../../src/report/html/embed-json.ts";
import { htmlReport } from "../../src/report/html/html-report.ts";
import type { PageData } from "../../src/report/html/page-data.ts";
import { heading, images, paragraph, table } from "../../src/report/markdown.ts";
import { madeExplorer, writeImages } from "../helpers/made-explorer.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("JSON in a page has no character that HTML reads, and stays the same value", () => {
  const tricky = fc.constantFrom(
    "</script>",
    "<!--",
    "]]>",
    "&lt;",
    "\u2028",
    "\u2029",
    "é",
    "\ud800",
    "\u0000",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: "binary" }), tricky)), (parts) => {
      const text = embedJson({ text: parts.join("") });
      expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      expect(JSON.parse(text)).toEqual({ text: parts.join("") });
    }),
  );
});

/** A report of this explorer, with a table and an image. */
async function page(
  explorer: Explorer | undefined,
  folder: string,
  { maxBytes, isDemo = false }: { maxBytes?: number; isDemo?: boolean } = {},
): Promise<string> {
  writeFileSync(join(folder, "a.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  return htmlReport(
    {
      title: "Which?",
      main: [heading(1, "Which?"), heading(2, "Leaderboard"), images([{ file: "a.svg", alt: "chart" }])],
      details: [table(["configuration", "value"], [["<b>film</b>", "1"]]), paragraph("$& and $1")],
      explorer,
      isDemo,
      noun: "configuration",
    },
    folder,
    maxBytes,
  );
}

test("a page loads nothing, and its policy allows its own script and style only", async () => {
  const folder = tempFolder();
  const text = await page(undefined, folder);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/
    .exec(text)?.[1]
    ?.replaceAll("&#x27;", "'");
  const sources = ["script", "style"].map((name) => {
    const content = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1] ?? "";
    return `${name}-src 'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  });
  expect(policy?.split("; ")).toEqual([
    "default-src 'none'",
    ...sources,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect([...text.matchAll(/\b(?:src|srcset|data|poster)="(?!data:)[^"]*"/g)]).toEqual([]);
  expect(text).not.toMatch(/<link\b|@import|url\(/);
  expect(text).toContain('<img src="data:image/svg+xml;base64,');
  expect(text).toContain("&#x3C;b>film");
  expect(text).toContain("$&#x26; and $1");
});

const expressions = Array.from({ length: 40 }, (_, image) => ({
  sentence: `the cup ${image}`,
  image,
  // The configurations differ on every tenth image.
  answers: image % 10 === 0 ? [0, 2] : [0, 0],
}));

test("a page keeps to its size, starts with the images where configurations differ, and says what it lacks", async () => {
  await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
  const folder = tempFolder();
  await writeImages(folder, 40);
  const explorer = madeExplorer(["film", "token"], expressions, { images_dir: folder, num_settings: 12 });
  const whole = await page(explorer, folder);
  expect(thumbnailsOf(whole)).toHaveLength(40);
  expect(whole).not.toContain("To keep the file small");
  expect(whole).toContain("2 of 12 configurations");
  const empty = Buffer.byteLength(await page(madeExplorer(["film"], []), folder));
  const one = (Buffer.byteLength(whole) - empty) / 40;
  const maxBytes = Math.round(empty + 20_000 + 8 * one);
  const small = await page(explorer, folder, { maxBytes });
  expect(Buffer.byteLength(small)).toBeLessThanOrEqual(maxBytes);
  const shown = thumbnailsOf(small);
  expect(shown.length).toBeGreaterThanOrEqual(4);
  expect(shown.length).toBeLessThan(40);
  for (const file of ["image-0.png", "image-10.png", "image-20.png", "image-30.png"])
    expect(shown).toContain(file);
  expect(small).toContain(`${shown.length} of the 40 images`);
  // The same rule gives the same page.
  expect(await page(explorer, folder, { maxBytes })).toBe(small);
});

test("long expressions cost other expressions, not the size of the page", async () => {
  const folder = tempFolder();
  const long = expressions.map((each) => ({ ...each, sentence: "<word> ".repeat(2000) }));
  const explorer = madeExplorer(["film", "token"], long, { images_dir: folder });
  const text = await page(explorer, folder, { maxBytes: 400_000 });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(400_000);
  const { sentence } = dataOf(text).expressions;
  expect(sentence.length).toBeGreaterThan(0);
  expect(text).toContain(`${sentence.length} of the 40 expressions`);
});

test("images that cannot be read are counted, and cost only themselves", async () => {
  const folder = tempFolder();
  await writeImages(folder, 2);
  writeFileSync(join(folder, "image-1.png"), "no image");
  const explorer = madeExplorer(["film", "token"], expressions.slice(0, 3), { images_dir: folder });
  const text = await page(explorer, folder);
  expect(thumbnailsOf(text)).toEqual(["image-0.png"]);
  expect(text).toContain("2 of the images cannot be read");
});

test("images of a test split stay out; photos come with a note about their owners, and no path", async () => {
  const folder = tempFolder();
  await writeImages(folder, 1);
  const made = madeExplorer(["film"], expressions.slice(0, 1), { images_dir: folder });
  expect(thumbnailsOf(await page({ ...made, split: "testA" }, folder))).toEqual([]);
  const onVal = await page(made, folder);
  expect(onVal).toContain("belong to their owners");
  expect(onVal).not.toContain(folder);
  expect(await page(made, folder, { isDemo: true })).not.toContain("belong to their owners");
  const without = await page({ ...made, images_dir: null }, folder);
  expect(without).toContain("The dataset has no images.");
  expect(without).not.toContain("cannot be read");
});

function dataOf(text: string): PageData {
  return JSON.parse(/id="explorer-data">([^<]*)</.exec(text)?.[1] ?? "");
}

/** Names of the images in a page. */
function thumbnailsOf(text: string): string[] {
  const { file, thumbnail } = dataOf(text).images;
  return file.filter((_, image) => thumbnail[image]?.startsWith("data:image/webp;base64,"));
}

test.each<[string, ReturnType<typeof sortKey>]>([
  ["71.6 (69.0 to 74.0)", 71.6],
  ["+1.9 (−0.4 to +4.2)", 1.9],
  ["−0.4 (−2.0 to +1.0)", -0.4],
  ["1,234,567", 1_234_567],
  ["1 min 33 s", 93_000],
  ["2 h 5 min", 7_500_000],
  ["400 MB", 4e8],
  ["< 0.001", 0.001],
  ["2 to 3", 2],
  ["0: 70.5, 1: 72.0", 70.5],
  ["0:\u00a070.5, 1:\u00a072.0", 70.5],
  ["–", undefined],
  ["", undefined],
  ["film", "film"],
  ["3f2a", "3f2a"],
])("a cell %j is sorted by %j", (text, key) => {
  expect(sortKey(text)).toBe(key);
});

test("rows without a value come last in both directions, and equal rows keep their order", () => {
  const keys = [1, undefined, 3, 1];
  expect(sortedOrder(keys, false)).toEqual([0, 3, 2, 1]);
  expect(sortedOrder(keys, true)).toEqual([2, 0, 3, 1]);
  expect(sortedOrder(["reference", -3, undefined, -1], true)).toEqual([3, 1, 0, 2]);
  expect(sortedOrder(["b10", "b9", "a"], false)).toEqual([2, 1, 0]);
});

test("filters combine, and the order follows the IoU or the score", () => {
  const explorer = madeExplorer(
    ["film", "token"],
    [
      { sentence: "a red cup", image: 0, stratum: "attribute", answers: [0, 2] },
      { sentence: "a blue cup", image: 0, stratum: "relation", answers: [0, 2] },
      { sentence: "a Plate", image: 1, stratum: "relation", answers: [2, 0] },
      { sentence: "no answer", image: 1, answers: [5, 5] },
    ],
  );
  const data: PageData = {
    ...explorer,
    noun: "configuration",
    images: { ...explorer.images, thumbnail: [null, null] },
  };
  const select = (changes: object): number[] => selectRows(data, { ...firstFilter(data), ...changes });
  expect(select({})).toEqual([0, 1, 3, 2]);
  expect(select({ order: "loss" })).toEqual([2, 3, 0, 1]);
  expect(select({ order: "dataset" })).toEqual([0, 1, 2, 3]);
  expect(select({ outcome: "a_only" })).toEqual([0, 1]);
  expect(select({ outcome: "a_only", a: 1, b: 0 })).toEqual([2]);
  expect(select({ outcome: "neither" })).toEqual([3]);
  expect(select({ outcome: "a_only", groups: [1, -1] })).toEqual([1]);
  expect(select({ errorA: 5 })).toEqual([3]);
  expect(select({ errorB: 2, text: " BLUE " })).toEqual([1]);
});
