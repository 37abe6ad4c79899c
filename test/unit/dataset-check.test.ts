import { expect, test } from "vitest";
import type { Finding } from "../../src/dataset/check/finding.ts";
import { judgeStats } from "../../src/dataset/check/judge-stats.ts";
import { prepareCommand } from "../../src/dataset/how-prepared.ts";
import { datasetStats, overlap } from "../helpers/dataset-stats.ts";

const twoShared = { num_images: 2, num_sentences: 1, examples: ["a.jpg", "b.jpg"] };
const twins = { num_identical_pixels: 1, examples: ["c.jpg"] };

test.each<["umd" | "google" | "unc" | "own", object, Finding["state"], RegExp]>([
  ["umd", {}, "ok", /pixels were not compared/],
  ["umd", { num_identical_pixels: 0 }, "ok", /^by id, file name and pixels$/],
  [
    "umd",
    twoShared,
    "FAIL",
    /^2 pictures in both, 1 sentence with .*: a\.jpg, b\.jpg; the umd split shares none/,
  ],
  ["unc", twoShared, "FAIL", /not the published ones/],
  ["google", twoShared, "note", /prefer umd/],
  ["own", twoShared, "FAIL", /keep each picture in one split/],
  ["own", twins, "FAIL", /^1 picture of val with the pixels of another one in train: c\.jpg; keep/],
  ["umd", twins, "note", /c\.jpg$/],
  ["own", { ...twoShared, ...twins, num_images: 2 }, "FAIL", /; 1 more by its pixels; keep/],
])("images in two splits of a set split by %s, %j: %s", (split_by, shared, state, detail) => {
  const stats = datasetStats(["train", "val"], { split_by }, { overlaps: [overlap(shared)] });
  const found = judgeStats(stats, "mend").at(-1);
  expect(found).toMatchObject({ state, what: "train and val share no image" });
  expect(found?.detail).toMatch(detail);
});

const missing = ["train: expected 21899 images, found 21898"];

test.each<[string, object, Finding["state"], RegExp]>([
  ["nobody's", {}, "ok", /nobody has published any/],
  ["the published", { name: "refcocog-umd", split_by: "umd" }, "ok", /every split/],
  [
    "fewer, by --allow-missing",
    {
      name: "refcocog-umd",
      split_by: "umd",
      deviations: missing,
      dropped: { num_images: 1, num_refs: 2, num_sentences: 4 },
    },
    "note",
    /found 21898; left out with 1 picture that/,
  ],
  [
    "other",
    { name: "refcocog-umd", split_by: "umd", deviations: missing },
    "FAIL",
    /nothing was left out, so these are not the published annotations/,
  ],
])("counts that are %s", (_, facts, state, detail) => {
  const found = judgeStats(datasetStats(["train"], facts), "mend").find(({ what }) =>
    what.startsWith("counts"),
  );
  expect(found?.state).toBe(state);
  expect(found?.detail).toMatch(detail);
});

test("a wrong table is told with examples and the remedy", () => {
  const wrong = { expected: "ids are unique", num_checked: 9, num_wrong: 5, examples: ["1", "2", "3", "4"] };
  const [found] = judgeStats(datasetStats(["train"], {}, { table_checks: [wrong] }), "delete it");
  expect(found).toEqual({
    state: "FAIL",
    what: "ids are unique",
    detail: "5 of 9 do not: 1, 2, 3 and 2 more; delete it",
  });
});

test("the command that makes a data set again names all that decides it, as a shell takes it", () => {
  const { facts } = datasetStats(["train"]);
  expect(prepareCommand({ ...facts, allow_missing: true })).toBe(
    "cliprpn prepare mine --from '/a b/rows.jsonl' --format jsonl --box-format xyxy --columns box=bbox --split-seed 3 --images /photos --allow-missing --max-pixels 1000000",
  );
  expect(prepareCommand(facts, { image_size_px: 96, resize: "letterbox" })).toContain(
    "--images /photos --image-size 96 --resize letterbox",
  );
  const source = {
    layout: "refcoco",
    instances_file: "/d/annotations/instances.json",
    refs_file: "/d/annotations/refs(umd).p",
  } as const;
  expect(prepareCommand({ ...facts, name: "refcocog-umd", split_by: "umd", source, images_dir: null })).toBe(
    "cliprpn prepare refcocog --split-by umd --root /d/annotations --without-pictures --max-pixels 1000000",
  );
});
