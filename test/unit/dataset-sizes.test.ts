import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { existingSizes } from "../../src/sweep/datasets.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a dataset that is prepared on first use never loses the images that it has", () => {
  const root = tempFolder();
  const raw = "/photos";
  expect(existingSizes({ root, raw })).toEqual([{ image_size_px: 224, resize: "squash" }]);
  mkdirSync(join(root, "pixels", "letterbox-416"), { recursive: true });
  mkdirSync(join(root, "pixels", "squash-224"));
  expect(existingSizes({ root, raw })).toEqual([
    { image_size_px: 416, resize: "letterbox" },
    { image_size_px: 224, resize: "squash" },
  ]);
  expect(existingSizes({ root })).toEqual([]);
});
