import { expect, test } from "vitest";
import type { CompareDatasetsResult, SharedImages } from "../../src/contract/generated/types.ts";
import { checkSharedImages } from "../../src/dataset/check/check-shared-images.ts";

const pair: SharedImages = {
  first: 0,
  second: 1,
  first_split: "train",
  second_split: "test",
  num_first: 100,
  num_second: 2000,
  num_same_file: 0,
  num_same_pixels: 0,
  examples: [],
};
const compared: CompareDatasetsResult = {
  num_images: [100, 2000],
  num_missing_files: [0, 0],
  num_without_pixels: [0, 0],
  pixels: "squash-224",
  pairs: [pair],
};

test.each<[Partial<SharedImages>, "ok" | "note", RegExp]>([
  [{}, "ok", /^none of 2,000$/],
  [
    { num_same_file: 1200, examples: [{ first: "a.jpg", second: "b.jpg" }] },
    "note",
    /^1,200 of 2,000 images of the second are in the first, 1,200 with the same file: a\.jpg = b\.jpg and 1199 more$/,
  ],
  [
    {
      num_same_file: 1,
      num_same_pixels: 1,
      examples: [
        { first: "a.jpg", second: "a.jpg" },
        { first: "c.jpg", second: "d.png" },
      ],
    },
    "note",
    /1 with the same file and 1 with the same pixels in another file: a\.jpg, c\.jpg = d\.png$/,
  ],
])("%j", (changes, state, detail) => {
  const [result] = checkSharedImages(["mine", "refcoco"], { ...compared, pairs: [{ ...pair, ...changes }] });
  expect(result).toMatchObject({ state, what: "mine train and refcoco test share no image" });
  expect(result?.detail).toMatch(detail);
});

test("what could not be compared is told", () => {
  const results = checkSharedImages(["mine", "refcoco"], {
    ...compared,
    num_missing_files: [0, 7],
    num_without_pixels: [1, 2],
    pixels: "files",
  });
  expect(results.map(({ what }) => what).slice(1)).toEqual([
    "refcoco: files of the images",
    "compared by content",
  ]);
  expect(results[1]?.detail).toMatch(/^7 of 2,000 /);
  expect(results[2]?.detail).toMatch(/decoded files, except for 3 images/);
});
