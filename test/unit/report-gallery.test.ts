import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import type { Case, GalleryGroup, Summary } from "../../src/contract/generated/types.ts";
import { drawGallery } from "../../src/report/images/draw-gallery.ts";
import { render } from "../../src/report/markdown.ts";
import { type Gallery, gallery } from "../../src/report/sections/gallery.ts";
import { madeSummary } from "../helpers/report-input.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("gallery");
const good = join(folder, "good.png");

beforeAll(async () => {
  await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
  const noise = { type: "gaussian" as const, mean: 128, sigma: 30 };
  await sharp({ create: { width: 200, height: 100, channels: 3, background: "gray", noise } }).toFile(good);
});

function shown(image_file = good, sentence = "the cup", iou: [number, number] = [0.832, 0.12]): Case {
  const predictions = ["film", "token"].map((label, index) => ({
    label,
    pred_box_xyxy: [10, 10, 60, 60] as Case["gt_box_xyxy"],
    iou: iou[index] ?? 0,
  }));
  return {
    sent_id: 1,
    image_file,
    upright: false,
    sentence,
    gt_box_xyxy: [9, 9, 50, 50],
    predictions,
  };
}

function group(
  kind: GalleryGroup["kind"],
  examples: [Case, ...Case[]][],
  changes: Partial<GalleryGroup> = {},
): GalleryGroup {
  return {
    kind,
    subset: null,
    num_found: 12,
    num_total: 1003,
    examples: examples.map((cases) => ({ cases })),
    ...changes,
  };
}

function summaryOf(groups: GalleryGroup[], changes: Partial<Summary["gallery"]> = {}): Summary {
  const summary = madeSummary([
    { label: "film", acc: [0.6, 0.62] },
    { label: "token", acc: [0.5, 0.52] },
  ]);
  return { ...summary, gallery: { ...summary.gallery, groups, ...changes } };
}

async function drawn(summary: Summary): Promise<{ text: string; files: string[]; drawn: Gallery }> {
  const out = tempFolder();
  mkdirSync(join(out, "report/val"), { recursive: true });
  const examples = await drawGallery(summary, out, "report/val");
  const text = render(gallery(summary, examples));
  return { text, files: readdirSync(join(out, "report/val")).sort(), drawn: examples };
}

test("every group has its number of expressions, and every image says what is right", async () => {
  const { text, files } = await drawn(
    summaryOf([
      group("pair_wins", [[shown(good, "left of it"), shown(good, "right of it", [0.6, 0.2])]], {
        num_total: 130,
      }),
      group("pair_losses", [], { num_found: 0, num_total: 130 }),
      group("pair_failures", [], { num_found: 3, num_total: 130 }),
      group("wins", [[shown()], [shown(good, "a [red] cup")]]),
      group("losses", [], { num_found: 0 }),
      group("joint_failures", [[shown(good, "the cup", [0.1, 0.2])]], { num_found: 1 }),
      group("random_failures", [[shown(good, "no cup", [0.1, 0.6])]], {
        subset: { by: "stratum", group: "size_or_part" },
        num_found: 40,
        num_total: 300,
      }),
    ]),
  );
  expect(files).toEqual([
    "joint-failures-1.png",
    "pair-wins-1.png",
    "random-failures-1.png",
    "wins-1.png",
    "wins-2.png",
  ]);
  expect(text).toContain(
    "Of 130 pairs, both expressions are answered right by A alone in 12 (shown: the one with the largest gain in IoU), by B alone in none and by neither in 3 (all their images are in other groups).",
  );
  expect(text).toMatch(/### Wins: only film is right\n\n12 of 1,003 expressions; shown: the 2 with/);
  expect(text).toMatch(/### Losses: only token is right\n\nNone of 1,003 expressions\./);
  expect(text).toMatch(/### Joint failures.*\n\n1 of 1,003 expressions; shown\./);
  expect(text).toMatch(/### Random failures of film\n\n.*size or part \(40 of 300\)/);
  expect(text).toContain("![“the cup”: film (A) is right, IoU 0.83; token (B) is wrong, IoU 0.12](report");
  expect(text).toContain("![Left: “left of it”: film (A) is right, IoU 0.83; ");
  expect(text).toContain(" Right: “right of it”: film (A) is right, IoU 0.60; ");
});

test("one configuration is shown without a comparison", async () => {
  const alone: Case = { ...shown(), predictions: shown().predictions.slice(0, 1) };
  const summary = summaryOf([group("wins", [[alone]]), group("joint_failures", [])], {
    against: null,
    against_seed: null,
  });
  const { text, files } = await drawn(summary);
  expect(files).toEqual(["wins-1.png"]);
  expect(text).toContain("A is film (seed 0, solid line); the ground truth");
  expect(text).toContain("### film is right");
  expect(text).not.toMatch(/ B |token|Minimal pairs/);
});

test("images that cannot be read are named once, and only their examples are missing", async () => {
  const [gone, cut, text] = ["gone.png", "cut.png", "text.jpg"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(cut, readFileSync(good).subarray(0, 2000)); // The header is valid.
  writeFileSync(text, "hello");
  const examples = await drawn(
    summaryOf([
      group("pair_wins", [[shown(good), shown(gone)]]),
      group("wins", [[shown(gone)], [shown(good)]]),
      group("losses", [[shown(cut)], [shown(text)]]),
    ]),
  );
  expect(examples.files).toEqual(["wins-2.png"]);
  expect(examples.drawn.unreadable).toHaveLength(3);
  for (const name of ["gone.png", "cut.png", "text.jpg"])
    expect(examples.text.split(`${name}: expected an image`)).toHaveLength(2);
  expect(examples.text).not.toContain("good.png");
});

test("a dataset without images has no examples, which is said", async () => {
  const { text, files } = await drawn(summaryOf([], { has_images: false }));
  expect(text).toMatch(/## Gallery\n\nThe dataset has no images/);
  expect(files).toEqual([]);
});

test("an expression cannot break the report", async () => {
  const sentence = "a](x) <script>alert(1)</script>\n\n# title `code` ![b](c) \u202e| \u0000";
  const { text } = await drawn(summaryOf([group("wins", [[shown(good, sentence)]])]));
  expect(text.split("\n").filter((line) => line.startsWith("#"))).toEqual([
    "## Gallery",
    "### Wins: only film is right",
  ]);
  expect(text).not.toMatch(/(?<!\\)<script/);
  expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(text.match(/!\[/g)).toHaveLength(1);
});
