import { expect, test } from "vitest";
import { count, counted, formatBytes, formatDuration, joinWords, slug } from "../../src/base/format.ts";
import { interval, signedPoints } from "../../src/report/points.ts";

test.each([
  [formatDuration(940), "0.9 s"],
  [formatDuration(9_970), "10 s"],
  [formatDuration(59_700), "1 min 0 s"],
  [formatDuration(93_400), "1 min 33 s"],
  [formatDuration(3_720_000), "1 h 2 min"],
  [formatBytes(900), "1 KB"],
  [formatBytes(999_900), "1.0 MB"],
  [formatBytes(400_000_000), "400 MB"],
  [formatBytes(999_960_000), "1.0 GB"],
  [count(1_234_567), "1,234,567"],
  [count(999), "999"],
  [counted(1, "image"), "1 image"],
  [counted(2000, "ref"), "2,000 refs"],
  [signedPoints(0.092), "+9.2"],
  [signedPoints(-0.004), "−0.4"],
  [signedPoints(-0.0001), "0.0"],
  [interval({ mean: 0.531, low: 0.502, high: 0.56 }), "53.1 (50.2\u00a0to\u00a056.0)"],
  [joinWords(["a", "b", "c"]), "a, b and c"],
  [slug("baseline-gt_boxes-RefCOCO+-"), "baseline-gt-boxes-refcocoplus"],
])("%s", (written, expected) => {
  expect(written).toBe(expected);
});
