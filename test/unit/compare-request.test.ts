import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readComparisonFile } from "../../src/compare/comparison-file.ts";
import { readComparisonOptions } from "../../src/compare/comparison-options.ts";
import { parseCoordinates } from "../../src/compare/coordinates-text.ts";
import { resolveComparison } from "../../src/compare/resolve.ts";
import { coordinatesText } from "../../src/report/sections/answers.ts";
import { makeData, noOptions, writeAnswers } from "../helpers/compare-stand-in.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

describe("coordinates as text", () => {
  test.each([
    "xyxy",
    "xywh_norm",
    "cxcywh_1000",
    "xyxy@640x480",
    "xywh@long:1024",
    "xyxy@short:800:1333",
    "xyxy@short:800",
    "xyxy@smart:28:3136:12845056",
    "cxcywh@columns",
    "cxcywh_norm@padded",
    "cxcywh_norm@padded:640",
    "xyxy@padded:1024:top_left",
    "xyxy_1000@padded:top_left",
  ])("%s", (text) => {
    const parsed = parseCoordinates(text);
    expect("coordinates" in parsed && coordinatesText(parsed.coordinates)).toBe(text);
  });

  test.each([
    ["xyzy", /Did you mean xyxy\?/],
    ["xyxy@640", /640x480/],
    ["xyxy@0x10", /640x480/],
    ["xyxy@short:800:700", /short:800:1333/],
    ["xyxy@smart:28:9:1", /smart:28/],
    ["xyxy_1000@640x480", /xyxy@640x480 for pixels/],
    ["", /xyxy_norm/],
    ["xyxy@padded:0", /padded:640/],
    ["xyxy@padded:640:left", /padded:640:top_left/],
  ])("refused: %s", (text, problem) => {
    const parsed = parseCoordinates(text);
    expect("problem" in parsed && parsed.problem).toMatch(problem);
  });
});

describe("a comparison file", () => {
  test("its problems have lines and columns, all at once", () => {
    const work = tempFolder();
    const text = [
      "{",
      '  "name": "My comparison",',
      '  "data": ["mine:val"],',
      '  "results": {',
      '    "a": {"file": "a.json"},',
      '    "b": {"files": "b.json", "protocol": {"promt": "Where?"}}',
      "  }",
      "}",
    ];
    writeFileSync(join(work, "c.json"), text.join("\n"));
    expect(() => readComparisonFile("c.json", work)).toThrow(
      /c\.json:2:11 .*\nc\.json:5:11 .*unknown key.*files\?\nc\.json:6:43 .*unknown key.*prompt\?\nc\.json: 3 problems/,
    );
  });

  test("text that is not JSON is named as such", () => {
    const work = tempFolder();
    writeFileSync(join(work, "c.json"), "{\"name\": 'x'}");
    expect(() => readComparisonFile("c.json", work)).toThrow(/c\.json:1:10 .*double quotes/);
  });

  test("paths are relative to the file; files by split, repeats and protocols are read", async () => {
    const work = prepared();
    writeFileSync(join(work, "p.json"), '{"prompt": "Where is {}?", "trained_on": ["COCO train2017"]}');
    const file = {
      name: "vlms",
      data: ["mine:testA", "mine:testB"],
      results: {
        a: { files: { "mine:testA": "a.jsonl", "mine:testB": ["b.jsonl"] }, protocol: "p.json" },
        b: { files: ["a.jsonl", "b.jsonl"], repeats: "prompt", coordinates: "xyxy_1000" },
      },
      primary: "mine:testB",
    };
    writeFileSync(join(work, "c.json"), JSON.stringify(file));
    const request = readComparisonFile(join(work, "c.json"), "/");
    const { models, data } = await resolveComparison(request, contextIn(work));
    expect(data.map(({ inPrimary }) => inPrimary)).toEqual([false, true]);
    expect(models).toMatchObject([
      { label: "a", repeats: null, protocol: { trained_on: ["COCO train2017"] } },
      { label: "b", repeats: "prompt", reading: { coordinates: { box_format: "xyxy_1000" } } },
    ]);
    const [a] = models;
    expect(a?.kind === "results" && [...a.files]).toEqual([
      ["mine:testA", [join(work, "a.jsonl")]],
      ["mine:testB", [join(work, "b.jsonl")]],
    ]);
  });
});

describe("the options", () => {
  test("all problems are reported at once, each with its option", async () => {
    const options = {
      data: ["mine:tset", "mime", "mine:train", "mine:testA"],
      results: ["qwen", "a=none.jsonl", "b=a.jsonl", "b=b.jsonl"],
      coordinates: ["b=xyxz", "c=xyxy"],
      format: ["b=tabel"],
      protocol: ["b=none.json"],
      primary: ["mine:testB"],
      only: ["none.txt"],
      alpha: "5",
    };
    const problems = await problemsOf(prepared(), options);
    expect(problems.map((line) => line.split("  ")[0])).toEqual([
      "--results qwen",
      "--format b=tabel",
      "--coordinates c=xyxy",
      "--alpha",
      "--data mine:tset",
      "--data mime",
      "--data mine:train",
      "--primary mine:testB",
      "--only none.txt",
      "--results a=none.jsonl",
      "--results b=a.jsonl",
      "--protocol b=none.json",
      "--coordinates b=xyxz",
    ]);
    expect(problems[4]).toContain("Did you mean test?");
    expect(problems[5]).toContain("Did you mean mine?");
    expect(problems[6]).toContain("val, testA, testB");
    expect(problems[10]).toContain("--repeats b=training_seed");
  });

  test.each([
    [{ results: ["a=a.jsonl"], baseline: "b" }, /--baseline b .*a; found b/],
    [{ results: ["a=a.jsonl", "a=a.jsonl"], repeats: ["decoding"] }, /each file once/],
    [{ results: ["a@mine:testA=a.jsonl"] }, /found mine:testA/],
    [{ results: ["a=a.jsonl"], name: "My name" }, /--name .*hyphens/],
    [{ results: ["a=nothing-here"] }, /no file .*no trial or sweep nothing-here/],
    [{ results: [] }, /NAME=FILE/],
    [{ results: ["a\u0007=a.jsonl"] }, /control characters/],
  ])("refused: %j", async (options, problem) => {
    const problems = await problemsOf(prepared(), { data: ["mine:val"], ...options });
    expect(problems.join("\n")).toMatch(problem);
  });

  test("what is said of one model counts before what is said of all", () => {
    const request = readComparisonOptions(
      {
        ...noOptions,
        results: ["a=a.jsonl", "b=b.jsonl"],
        coordinates: ["a=xyxy_1000", "xyxy"],
        columns: ["b=image=file,score=prob", "score=p"],
      },
      "/",
    );
    expect(request.models.map(({ coordinates, columns }) => [coordinates?.value, columns])).toEqual([
      ["xyxy_1000", { score: "p" }],
      ["xyxy", { image: "file", score: "prob" }],
    ]);
  });

  test("a name from models and data: another comparison has another one", async () => {
    const work = prepared();
    const nameOf = async (results: string[]): Promise<string> =>
      (await resolve(work, { data: ["mine"], results })).name;
    expect(await nameOf(["a=a.jsonl", "b=b.jsonl"])).toBe("a-b-mine-val");
    const [first, second] = [await nameOf(["Ä=a.jsonl"]), await nameOf(["Ö=a.jsonl"])];
    expect(first).toMatch(/^[a-z0-9-]+$/);
    expect(first).not.toBe(second);
  });
});

function resolve(work: string, options: Partial<typeof noOptions> | object) {
  return resolveComparison(readComparisonOptions({ ...noOptions, ...options }, work), contextIn(work));
}

async function problemsOf(work: string, options: object): Promise<string[]> {
  try {
    await resolve(work, options);
  } catch (error) {
    const lines = error instanceof Error ? error.message.split("\n") : [];
    expect(lines.at(-1)).toMatch(/^cliprpn compare: \d+ problems?, nothing was started$/);
    return lines.slice(0, -1);
  }
  throw new Error("expected problems, found none");
}

function prepared(): string {
  const work = tempFolder();
  makeData(work);
  writeAnswers(work, "a.jsonl", "b.jsonl");
  return work;
}
