import { expect, test } from "vitest";
import { readOptions } from "../bench/options.ts";

const parts = { many: "many trials", "images-memory": "preparing many images" };

test("the usage lists every part", () => {
  const read = readOptions(["--help"], parts);
  expect(read).toHaveProperty("usage");
  for (const [name, what] of Object.entries(parts))
    expect(read).toHaveProperty("usage", expect.stringMatching(new RegExp(`^ +${name} +${what}$`, "m")));
  expect(readOptions(["-h"], parts)).toEqual(read);
});

test("all parts are measured by default", () => {
  expect(readOptions([], parts)).toEqual({ numScenes: 300, only: undefined, out: undefined });
});

test("one part, with other scenes, into a file", () => {
  expect(readOptions(["--only", "many", "--scenes", "40", "--out", "results.md"], parts)).toEqual({
    numScenes: 40,
    only: "many",
    out: "results.md",
  });
});

test.each([
  [["--only", "few"], /^--only: expected one of many, images-memory; found few$/],
  [["--only", "toString"], /found toString$/],
  [["--scenes", "0"], /^--scenes: expected a positive whole number, found 0$/],
  [["--scenes", "few"], /found few$/],
  [["--ony", "many"], /--ony.*--help/],
  [["--out"], /--out.*--help/],
  [["many"], /many.*--help/],
])("%j is refused in one line", (args, message) => {
  const refused = expect(() => readOptions(args, parts));
  refused.toThrow(expect.objectContaining({ code: "bad_input", message: expect.stringMatching(message) }));
  refused.not.toThrow(/\n/);
});
