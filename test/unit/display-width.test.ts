import { expect, test } from "vitest";
import { cutEnd, cutMiddle, displayWidth, padded } from "../../src/base/display-width.ts";

test.each([
  ["", 0],
  ["film, seed 0", 12],
  ["融合", 4],
  ["e\u0301", 1],
  ["👩‍🔬", 2],
  ["한글", 4],
  ["±…–", 3],
])("%j takes %i columns", (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test.each([
  ["abcdef", 6, "abcdef", "abcdef"],
  ["abcdef", 5, "abcd…", "ab…ef"],
  ["abcdef", 4, "abc…", "ab…f"],
  ["abcdef", 1, "…", "…"],
  ["abcdef", 0, "", ""],
  // Half of a wide letter is not shown.
  ["融合方式", 6, "融合…", "融…式"],
  ["融合方式", 4, "融…", "融…"],
  ["👩‍🔬👩‍🔬👩‍🔬", 5, "👩‍🔬👩‍🔬…", "👩‍🔬…👩‍🔬"],
])("%j in %i columns", (text, columns, end, middle) => {
  expect(cutEnd(text, columns)).toBe(end);
  expect(cutMiddle(text, columns)).toBe(middle);
});

test("padding counts columns, not characters", () => {
  expect(padded("融合", 6)).toBe("融合  ");
  expect(padded("5", 3, "right")).toBe("  5");
  expect(padded("too long", 3)).toBe("too long");
});
