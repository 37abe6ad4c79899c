import { expect, test } from "vitest";
import { cardBlocks } from "../../src/dataset/card/card.ts";
import { knownIssues } from "../../src/dataset/card/known-issues.ts";
import { licences } from "../../src/dataset/card/licences.ts";
import type { Portrait } from "../../src/dataset/card/portrait.ts";
import { summaryText } from "../../src/dataset/card/summary-text.ts";
import { textTable } from "../../src/dataset/card/text-table.ts";
import { render } from "../../src/report/markdown.ts";
import { datasetStats, overlap, portrait } from "../helpers/dataset-stats.ts";

const all = ["train", "val", "test", "testA", "testB"] as const;

test("a table's words stand to the left, its numbers to the right, titles above their rows", () => {
  const rows = [{ title: "Counts" }, { cells: ["pictures", "71", "1,300"] }, { cells: ["refs", "151", "5"] }];
  expect(textTable(["", "train", "val"], rows)).toEqual([
    "               train       val",
    "Counts",
    "  images        71     1,300",
    "  refs           151         5",
  ]);
});

test("a summary fits 100 columns, with every split there is and with long figures", () => {
  const facts = {
    notes: ["a word ".repeat(60)],
    deviations: all.map((split) => `${split}: expected 21899 images, found 7`),
  };
  const lines = summaryText(portrait(datasetStats([...all], facts))).split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  expect(lines).toContain(`  ${"refs".padEnd(28)}${"42,226".padStart(14).repeat(5)}`);
});

test("a summary tells lengths, areas, rivals and floors", () => {
  const text = summaryText(portrait(datasetStats(["train", "val"])));
  for (const line of [
    /^ {2}5 and fewer +13\.1 % +13\.1 %$/m,
    /^ {2}with left or right +10\.0 % +10\.0 %$/m,
    /^ {2}small: below 9 % +33\.3 % +33\.3 %$/m,
    /^ {2}the only one of its category +25\.0 % +25\.0 %$/m,
    /^ {2}the box that fits train best +23\.8 \/ 19\.7/m,
    /^ {2}up to 2 5 8 10 15 20 more +▁▂█▂▂▂▁ +▁▂█▂▂▂▁$/m,
    /own lie at 8\.1 % and 27\.8 %/,
    /^ {2}train, val +nothing shared$/m,
  ])
    expect(text).toMatch(line);
});

test("figures have a digit behind the point where they need one", () => {
  const stats = datasetStats(["train"]);
  for (const { words } of stats.splits) Object.assign(words, { p50: 3.95, p5: 2.04, p95: 6.1, max: 1200 });
  const text = summaryText(portrait(stats));
  expect(text).toMatch(/^ {2}median +4$/m);
  expect(text).toMatch(/^ {2}5th to 95th percentile +2 to 6\.1$/m);
  expect(text).toMatch(/^ {2}longest +1,200$/m);
});

test("without sizes and categories, a summary leaves out what nobody knows", () => {
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
  const text = summaryText(portrait(stats, { sizes: [] }));
  expect(text).toContain("without images");
  expect(text).not.toMatch(/Floors|Boxes|NaN|only one of its category|Most frequent/);
  expect(text).toContain("Of 80,512 sentences nobody says what the object is");
});

test.each<[string, Partial<Portrait>, number, RegExp | null]>([
  ["of the family", { kind: "refcoco" }, 0, /^All pictures are COCO's train2014, those of val and test too/],
  ["by their names", { kind: "own" }, 107, /^107 pictures are COCO's train2014, by their names: a detector/],
  ["others", { kind: "own" }, 0, null],
  ["the demo's", { kind: "demo" }, 0, null],
])("detectors have seen images %s", (_, changes, num_coco_train2014, expected) => {
  const [first] = knownIssues(portrait(datasetStats(["train"], {}, { num_coco_train2014 }), changes));
  if (expected === null) expect(first).toBeUndefined();
  else expect(first).toMatch(expected);
});

test("what splits share is told, and why google's do", () => {
  const overlaps = [overlap({ num_images: 1, num_refs: 2, num_sentences: 1 })];
  const google = datasetStats(["train", "val"], { split_by: "google" }, { overlaps });
  expect(knownIssues(portrait(google)).join("\n")).toContain(
    "train and val share 1 image, 2 refs and 1 sentence with the same box: what was trained on has been seen. The google split parts objects",
  );
  expect(summaryText(portrait(google))).toContain("1 image, 2 refs and 1 sentence with the same box");
});

test.each<[Portrait["kind"], number, RegExp[], RegExp]>([
  [
    "refcocog",
    25_799,
    [/COCO's annotations, CC BY 4\.0/, /Google RefExp, CC BY 4\.0/, /Apache-2\.0/],
    /fill in/,
  ],
  ["refcoco+", 19_992, [/COCO's annotations, CC BY 4\.0/, /Flickr/, /REFER toolbox.*Apache-2\.0/], /RefExp/],
  ["demo", 0, [/icons.*Apache-2\.0/], /COCO/],
  ["own", 0, [/fill in who made them/, /Pictures: fill in/], /COCO/],
  ["own", 12, [/COCO's annotations/, /fill in who made them/, /Other pictures: fill in/], /RefExp/],
])("licences of %s with %i images of COCO", (kind, num_coco_train2014, expected, never) => {
  const text = licences(portrait(datasetStats(["train"], {}, { num_coco_train2014 }), { kind })).join("\n");
  for (const part of expected) expect(text).toMatch(part);
  expect(text).not.toMatch(never);
});

test("a card tells counts beside the published ones, how it was made, and whom to cite", () => {
  const stats = datasetStats(["train", "val"], { name: "refcocog-umd", split_by: "umd" });
  const text = render(
    cardBlocks(
      portrait(stats, { kind: "refcocog", published: { train: [21_899, 42_226, 80_512] } }),
      "contact-sheet.png",
    ),
  );
  expect(text).toContain("| train | 21,899 | 21,899 | 42,226 | 42,226 | 80,512 | 80,512 |");
  expect(text).toContain("| val | 21,899 | – | 42,226 | – | 80,512 | – |");
  expect(text).toContain("Every count is the published one.");
  expect(text).toContain("![sentences of refcocog-umd with their boxes](contact-sheet.png)");
  expect(text).toContain("```sh\ncliprpn prepare mine\n```");
  for (const key of ["mao2016", "nagaraja2016", "lin2014"]) expect(text).toContain(key);
  expect(text).not.toContain("yu2016");
});

test("nothing that a data set says breaks its card's tables", () => {
  const notes = ["a | b", "<script>", "# no heading"];
  const text = render(cardBlocks(portrait(datasetStats(["train"], { notes, name: "<b>" })), undefined));
  expect(text).toContain("# \\<b>");
  expect(text).toContain("- \\<script>");
  expect(text).toContain("- \\# no heading");
  expect(text).not.toContain("![");
});
