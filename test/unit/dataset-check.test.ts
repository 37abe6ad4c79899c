import { expect, test } from "vitest";
import type { CheckResult } from "../../src/dataset/check/check-result.ts";
import { checkStats } from "../../src/dataset/check/check-stats.ts";
import { prepareCommand } from "../../src/dataset/prepare-command.ts";
import { datasetStats, overlap } from "../helpers/dataset-stats.ts";

const twoShared = { num_images: 2, num_sentences: 1, examples: ["a.jpg", "b.jpg"] };
const duplicates = { num_identical_pixels: 1, examples: ["c.jpg"] };

test.each<["umd" | "google" | "unc" | "own", object, CheckResult["state"], RegExp]>([
  ["umd", {}, "ok", /not compared/],
  ["umd", { num_identical_pixels: 0 }, "ok", /file name and pixels$/],
  ["umd", twoShared, "FAIL", /^2 images .* 1 referring expression .*: a\.jpg, b\.jpg; .* umd/],
  ["unc", twoShared, "FAIL", /not the published annotations/],
  ["google", twoShared, "note", /prefer umd/],
  ["own", twoShared, "FAIL", /each image in one split/],
  ["own", duplicates, "FAIL", /^1 image of val .* train: c\.jpg; .* one split/],
  ["umd", duplicates, "note", /c\.jpg$/],
  ["own", { ...twoShared, ...duplicates, num_images: 2 }, "FAIL", /; 1 more .* pixels; .* one split/],
])("images in two splits of a dataset split by %s, %j: %s", (split_by, shared, state, detail) => {
  const stats = datasetStats(["train", "val"], { split_by }, { overlaps: [overlap(shared)] });
  const result = checkStats(stats, "fix it").at(-1);
  expect(result).toMatchObject({ state, what: "train and val share no image" });
  expect(result?.detail).toMatch(detail);
});

const missing = ["train: expected 21899 images, found 21898"];

test.each<[string, object, CheckResult["state"], RegExp]>([
  ["not published", {}, "ok", /published/],
  ["equal to the published ones", { name: "refcocog-umd", split_by: "umd" }, "ok", /every split/],
  [
    "lower because of --allow-missing",
    {
      name: "refcocog-umd",
      split_by: "umd",
      deviations: missing,
      dropped: { num_images: 1, num_refs: 2, num_sentences: 4 },
    },
    "note",
    /found 21898; skipped: 1 image that cannot be used/,
  ],
  [
    "different, since invalid rows were left out",
    {
      name: "refcocog-umd",
      split_by: "umd",
      deviations: missing,
      dropped: { num_images: 0, num_refs: 2, num_sentences: 4 },
    },
    "note",
    /skipped: 4 referring expressions with invalid annotations/,
  ],
  [
    "different",
    { name: "refcocog-umd", split_by: "umd", deviations: missing },
    "FAIL",
    /nothing was skipped/,
  ],
])("counts that are %s", (_, facts, state, detail) => {
  const result = checkStats(datasetStats(["train"], facts), "fix it").find(({ what }) =>
    what.startsWith("counts"),
  );
  expect(result?.state).toBe(state);
  expect(result?.detail).toMatch(detail);
});

test("each warning about the data is a note", () => {
  const warnings = ["val: 3 of 9 expressions are cut off", "the frame of 2 images is unknown"];
  const rows = checkStats(datasetStats(["train"], { warnings }), "fix it").filter(({ detail }) =>
    warnings.includes(detail),
  );
  expect(rows.map(({ state, detail }) => [state, detail])).toEqual(warnings.map((line) => ["note", line]));
});

test("a failed check of a table gives examples and the fix", () => {
  const wrong = { expected: "ids are unique", num_checked: 9, num_wrong: 5, examples: ["1", "2", "3", "4"] };
  const [result] = checkStats(datasetStats(["train"], {}, { table_checks: [wrong] }), "delete it");
  expect(result).toMatchObject({ state: "FAIL", what: "ids are unique" });
  expect(result?.detail).toMatch(/^5 of 9 .*: 1, 2, 3 and 2 more; delete it$/);
});

test("the command that prepares a dataset again has all its options, quoted for a shell", () => {
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
    "cliprpn prepare refcocog --split-by umd --root /d/annotations --without-images --max-pixels 1000000",
  );
});
