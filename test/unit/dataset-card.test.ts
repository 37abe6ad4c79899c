import { expect, test } from "vitest";
import type { DatasetStats } from "../../src/contract/generated/types.ts";
import { licenses } from "../../src/dataset/card/attribution.ts";
import { cardBlocks } from "../../src/dataset/card/card.ts";
import { knownIssues } from "../../src/dataset/card/known-issues.ts";
import type { DatasetProfile } from "../../src/dataset/card/profile.ts";
import { summaryText } from "../../src/dataset/card/summary-text.ts";
import { summaryLines } from "../../src/dataset/prepare/summary-lines.ts";
import { render } from "../../src/report/markdown.ts";
import { datasetStats, overlap, profile } from "../helpers/dataset-stats.ts";

const all = ["train", "val", "test", "testA", "testB"] as const;

test("a summary aligns labels to the left, numbers to the right, and puts titles above their rows", () => {
  const stats = datasetStats(["train", "val"]);
  Object.assign(stats.splits[1] ?? {}, { num_images: 71, num_refs: 5 });
  const lines = summaryText(profile(stats)).split("\n");
  const title = lines.indexOf("Counts");
  expect(lines.slice(title - 1, title + 3)).toEqual([
    `${"".padEnd(30)}${"train".padStart(14)}${"val".padStart(14)}`,
    "Counts",
    `  ${"images".padEnd(28)}${"21,899".padStart(14)}${"71".padStart(14)}`,
    `  ${"referred objects".padEnd(28)}${"42,226".padStart(14)}${"5".padStart(14)}`,
  ]);
});

test("a summary fits 100 columns with all five splits and long figures", () => {
  const facts = {
    notes: ["a word ".repeat(60)],
    deviations: all.map((split) => `${split}: expected 21899 images, found 7`),
  };
  const lines = summaryText(profile(datasetStats([...all], facts))).split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  expect(lines).toContain(`  ${"referred objects".padEnd(28)}${"42,226".padStart(14).repeat(5)}`);
});

test("a summary shows expression lengths, box areas, same-category counts and baselines", () => {
  const text = summaryText(profile(datasetStats(["train", "val"])));
  for (const line of [
    /^ {2}5 or fewer +13\.1 % +13\.1 %$/m,
    /^ {2}containing "left" or "right" +10\.0 % +10\.0 %$/m,
    /^ {2}small: below 9 % +33\.3 % +33\.3 %$/m,
    /^ {2}only one of its category +25\.0 % +25\.0 %$/m,
    /^ {2}best constant box on train +23\.8 \/ 19\.7/m,
    /^ {2}up to 2 5 8 10 15 20 more +▁▂█▂▂▂▁ +▁▂█▂▂▂▁$/m,
    /terciles.*8\.1 % and 27\.8 %/,
    /^ {2}train, val +nothing shared$/m,
  ])
    expect(text).toMatch(line);
});

test("figures have one decimal, unless it is zero", () => {
  const stats = datasetStats(["train"]);
  for (const { words } of stats.splits) Object.assign(words, { p50: 3.95, p5: 2.04, p95: 6.1, max: 1200 });
  const text = summaryText(profile(stats));
  expect(text).toMatch(/^ {2}median +4$/m);
  expect(text).toMatch(/^ {2}5th to 95th percentile +2 to 6\.1$/m);
  expect(text).toMatch(/^ {2}longest +1,200$/m);
});

test("a summary leaves out figures that need unknown image sizes or categories", () => {
  const stats = datasetStats(["train"], { images_dir: null }, { area_cuts: null });
  const [train] = stats.splits;
  if (train === undefined) throw new Error("no split");
  stats.splits = [
    {
      ...train,
      areas: null,
      aspects: null,
      floors: [],
      top_categories: [],
      same_category: { one: 0, two: 0, three_or_more: 0, unknown: train.num_sentences },
    },
  ];
  const text = summaryText(profile(stats, { sizes: [] }));
  expect(text).toContain("without images");
  expect(text).not.toMatch(/Baselines|Box area|NaN|only one of its category|Most frequent/);
  expect(text).toMatch(/category is unknown for 80,512 expressions/);
});

test.each([
  [
    "images",
    { num_images: 2, num_refs: 3, num_sentences: 5 },
    /^Skipped: 2 images that cannot be used, with 3 .* 5/m,
  ],
  [
    "rows",
    { num_images: 0, num_refs: 3, num_sentences: 5 },
    /^Skipped: 5 .* invalid annotations, and 3 .* not comparable/m,
  ],
  ["nothing", { num_images: 0, num_refs: 0, num_sentences: 0 }, null],
])("known issues say what was left out: %s", (_, dropped, expected) => {
  const issues = knownIssues(profile(datasetStats(["train"], { dropped }))).join("\n");
  if (expected === null) expect(issues).not.toMatch(/Skipped/);
  else expect(issues).toMatch(expected);
});

test.each<[string, Partial<DatasetProfile>, number, RegExp | null]>([
  ["all of RefCOCO", { kind: "refcoco" }, 0, /^All images .* COCO train2014/],
  ["some, by their names", { kind: "own" }, 107, /^107 images .* COCO train2014/],
  ["no others", { kind: "own" }, 0, null],
  ["none of the demo", { kind: "demo" }, 0, null],
])("known issues list the images that detectors have seen: %s", (_, changes, num_coco_train2014, expected) => {
  const [first] = knownIssues(profile(datasetStats(["train"], {}, { num_coco_train2014 }), changes));
  if (expected === null) expect(first).toBeUndefined();
  else expect(first).toMatch(expected);
});

test("known issues count the images of other collections, by their names", () => {
  const image_origins: DatasetStats["image_origins"] = [
    { origin: "coco_train2014", num_images: 9 },
    { origin: "visual_genome", num_images: 1200 },
    { origin: "coco_val2014", num_images: 1 },
    { origin: "other", num_images: 5 },
  ];
  const issues = knownIssues(profile(datasetStats(["train"], {}, { image_origins }), { kind: "own" }));
  expect(issues).toEqual([
    expect.stringMatching(/^1,200 images of Visual Genome, .* have seen them/),
    expect.stringMatching(/^1 image of COCO val2014, .* have seen it/),
  ]);
});

test("known issues list what splits share, and why the splits by google do", () => {
  const overlaps = [overlap({ num_images: 1, num_refs: 2, num_sentences: 1 })];
  const google = datasetStats(["train", "val"], { split_by: "google" }, { overlaps });
  const shared = "1 image, 2 ref ids and 1 expression with the same box";
  const issues = knownIssues(profile(google)).join("\n");
  expect(issues).toContain(`train and val share ${shared}`);
  expect(issues).toMatch(/google .*umd/);
  expect(summaryText(profile(google))).toContain(shared);
});

test.each<[DatasetProfile["kind"], number, RegExp[], RegExp]>([
  [
    "refcocog",
    25_799,
    [/COCO annotations, CC BY 4\.0/, /Google RefExp, CC BY 4\.0/, /Apache-2\.0/],
    /fill in/,
  ],
  ["refcoco+", 19_992, [/COCO annotations, CC BY 4\.0/, /Flickr/, /REFER toolbox.*Apache-2\.0/], /RefExp/],
  ["demo", 0, [/icons.*Apache-2\.0/], /COCO/],
  ["own", 0, [/Expressions and boxes: fill in/, /Images: fill in/], /COCO/],
  ["own", 12, [/COCO annotations/, /Expressions and boxes: fill in/, /Other images: fill in/], /RefExp/],
])("licenses of %s with %i COCO images", (kind, num_coco_train2014, expected, never) => {
  const text = licenses(profile(datasetStats(["train"], {}, { num_coco_train2014 }), { kind })).join("\n");
  for (const part of expected) expect(text).toMatch(part);
  expect(text).not.toMatch(never);
});

test("a card shows counts next to the published ones, the command, and what to cite", () => {
  const stats = datasetStats(["train", "val"], { name: "refcocog-umd", split_by: "umd" });
  const text = render(
    cardBlocks(
      profile(stats, { kind: "refcocog", published: { train: [21_899, 42_226, 80_512] } }),
      "contact-sheet.png",
    ),
  );
  expect(text).toContain("| train | 21,899 | 21,899 | 42,226 | 42,226 | 80,512 | 80,512 |");
  expect(text).toContain("| val | 21,899 | – | 42,226 | – | 80,512 | – |");
  expect(text).toMatch(/All counts match/);
  expect(text).toContain("](contact-sheet.png)");
  expect(text).toContain("```sh\ncliprpn prepare mine\n```");
  for (const key of ["mao2016", "nagaraja2016", "lin2014"]) expect(text).toContain(key);
  expect(text).not.toContain("yu2016");
});

test("markdown in the name and notes of a dataset is escaped in its card", () => {
  const notes = ["a | b", "<script>", "# no heading"];
  const text = render(cardBlocks(profile(datasetStats(["train"], { notes, name: "<b>" })), undefined));
  expect(text).toContain("# \\<b>");
  expect(text).toContain("- \\<script>");
  expect(text).toContain("- \\# no heading");
  expect(text).not.toContain("![");
});

test("warnings about the data come first among the known issues, in card and summary", () => {
  const warnings = ["val: 3 of 9 expressions are cut off", "the frame of 2 images is unknown."];
  const made = profile(datasetStats(["train"], { warnings, notes: ["one row was repeated"] }));
  const card = render(cardBlocks(made, undefined));
  expect(card.split("## Known issues\n\n")[1]).toMatch(
    /^- val: 3 of 9 expressions are cut off\.\n- the frame of 2 images is unknown\.\n/,
  );
  expect(summaryText(made)).toMatch(/Known issues\n {2}- val: 3 of 9 expressions are cut off\./);
  const lines = summaryLines(made.stats.facts);
  expect(lines).toContain("Warning: val: 3 of 9 expressions are cut off");
  expect(lines).toContain("Note: one row was repeated");
});
