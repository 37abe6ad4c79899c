import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { figuresOfCombined, figuresOfSummary } from "../../src/report/conditions/condition-figures.ts";
import { checkFailIf, heldConditions } from "../../src/report/conditions/fail-if.ts";
import { cliprpn } from "../helpers/cli.ts";
import { errorOf } from "../helpers/error-of.ts";
import { madeCombined } from "../helpers/overview-input.ts";
import { madeSummary } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** film is ahead of concatenation by 10 points (8 to 12). */
const summary = madeSummary([
  { label: "film", acc: [0.6, 0.62] },
  { label: "concatenation", acc: [0.5, 0.52] },
  { label: 'a "b"', acc: [0.4, 0.4] },
]);
const known = { labels: ["film", "concatenation", 'a "b"', "broken"], baseline: undefined };

function held(condition: string): string[] {
  return heldConditions(checkFailIf([condition], known), figuresOfSummary(summary));
}

describe("a condition", () => {
  test.each([
    ["difference.acc_at_50.mean > 9.9", true],
    ["difference.acc_at_50.low < 0", false],
    ["difference.acc_at_50.low >= 7.9 and difference.acc_at_50.high <= 12.1", true],
    ['difference("concatenation").acc_at_50.mean < 10.1', true],
    ['difference("concatenation", "film").acc_at_50.high < -7.9', true],
    ["difference.p_value < 0.05", true],
    ["best.acc_at_50.mean < 60.9", false],
    ["60.9 < best.acc_at_50.mean", true],
    ['setting("concatenation").miou.mean == 51', true],
    ["setting('a \"b\"').acc_at_50.mean < 40.1", true],
    ['setting("a \\"b\\"").acc_at_50.mean < 40.1', true],
    ["rival.num_seeds != 2", false],
    ["rival.rank.high <= 2", true],
    ['verdict.case == "outperforms"', true],
    ['verdict.best != "film"', false],
    ["chance.acc_at_50 > 4.9 and num_images == 360", true],
    ["not num_images == 360 or num_sentences == 965", true],
    ["not (num_images == 360 or num_sentences == 965)", false],
    ["num_images == 1 and num_images == 1 or num_images == 360", true],
    ["num_images == 1 and (num_images == 1 or num_images == 360)", false],
    ["not not num_images > 1", true],
  ])("%s: %j", (condition, expected) => {
    expect(held(condition).length === 1).toBe(expected);
  });

  test("can name the declared baseline", () => {
    const [condition] = checkFailIf(["baseline.acc_at_50.mean > 50.9"], {
      ...known,
      baseline: "concatenation",
    });
    expect(condition?.holds(figuresOfSummary(summary))).toEqual(new Map([["baseline.acc_at_50.mean", 51]]));
  });

  test("is reported with the values that it names", () => {
    expect(held("difference.acc_at_50.low < 9 and best.num_seeds == 2")).toEqual([
      "difference.acc_at_50.low < 9 and best.num_seeds == 2 (difference.acc_at_50.low is 8, best.num_seeds is 2)",
    ]);
  });

  test.each([
    ["best.acc_at_5.mean < 1", "best.acc_at_5.mean"],
    ["best.acc_at_50 < 1", "best.acc_at_50"],
    ["difference.miou.low < 0", "difference.miou.low"],
    ['setting("flim").acc_at_50.mean < 1', "LABEL: film, concatenation"],
    ["baseline.acc_at_50.mean < 1", "declares no baseline"],
    ["constructor.name < 1", "constructor.name"],
    ["best.__proto__.mean < 1", "best.__proto__.mean"],
    ["process.exit(1) < 1", "a label in quotes"],
    ["best.acc_at_50.mean < ", "found the end"],
    ["best.acc_at_50.mean = 1", "found `=` at character 21"],
    ["best.acc_at_50.mean < 1; x", "found `;` at character 24"],
    ["best.acc_at_50.mean < 1 2", "found `2` at character 25"],
    ["(best.acc_at_50.mean < 1", "`)`"],
    ["best.acc_at_50.mean", "< <= > >= == !="],
    ["", "found the end"],
    ["best.acc_at_50.mean == 'film'", "two numbers or two texts"],
    ["verdict.case < 'mixed'", "== or !="],
    ["verdict.case == 'outpreforms'", "outperforms"],
    ["verdict.best == 'flim'", "concatenation"],
  ])("%s is refused before any work", (condition, expected) => {
    const error = errorOf(() => checkFailIf([condition], known));
    expect(error).toMatchObject({ code: "bad_input", message: expect.stringContaining(expected) });
  });

  test("of more than 1000 characters is refused", () => {
    const error = errorOf(() => checkFailIf(["(".repeat(1001)], known));
    expect(error).toMatchObject({ code: "bad_input", message: expect.stringContaining("1000") });
  });

  test.each([
    ['setting("broken").acc_at_50.mean < 50'],
    ['difference("concatenation", "a \\"b\\"").acc_at_50.mean < 0'],
    ['num_images == 360 or setting("broken").acc_at_50.mean < 50'],
  ])("%s is an error if the report lacks the value", (condition) => {
    const error = errorOf(() => held(condition));
    expect(error).toMatchObject({ code: "bad_input", message: expect.stringContaining("val") });
  });

  test("without an interval, as with few images, the bounds are missing", () => {
    const few = structuredClone(summary);
    for (const { difference } of few.comparisons) Object.assign(difference, { low: null, high: null });
    const [condition] = checkFailIf(["difference.acc_at_50.low < 0"], known);
    expect(errorOf(() => condition?.holds(figuresOfSummary(few)))).toMatchObject({ code: "bad_input" });
  });
});

const words = [
  ..."()<>=!.,'\"\\ \n$`;{}[]",
  ...["best", "difference", "setting", "verdict.case", "acc_at_50", ".mean", "and", "or", "not", "==", "<="],
  ...["1", "-2.5", '"film"', "constructor", "__proto__", "process", "eval", "globalThis", "=>"],
];

test("any text is a condition or an error for the user", () => {
  const texts = fc.oneof(
    fc.array(fc.constantFrom(...words)).map((parts) => parts.join("")),
    fc.array(fc.constantFrom(...words)).map((parts) => parts.join(" ")),
    fc.string({ unit: "binary" }),
  );
  let numValid = 0;
  fc.assert(
    fc.property(texts, (text) => {
      try {
        held(text);
        numValid += 1;
      } catch (error) {
        if (!(error instanceof CliprpnError && error.code === "bad_input")) throw error;
      }
    }),
    { numRuns: 3000, examples: [["best.acc_at_50.mean < 1"], ["(".repeat(999)], ["not ".repeat(240)]] },
  );
  expect(numValid).toBeGreaterThan(0);
});

test("a condition with an unknown name ends `sweep` with code 2 before anything is written", async () => {
  const cwd = tempFolder();
  const { code, err } = await cliprpn(
    ["sweep", "experiments/fusion.json", "--fail-if", 'setting("flim").miou.mean < 50'],
    cwd,
  );
  expect(code).toBe(2);
  expect(err).toContain("token_attention");
});

describe("over several splits", () => {
  const combined = madeCombined([
    { label: "ours", acc: [0.6, 0.5, 0.7] },
    { label: "qwen", acc: [0.5, 0.5, 0.5] },
  ]);
  const several = { labels: ["ours", "qwen"], baseline: undefined, hasPrimary: true };

  test.each([
    ["primary.best.acc_at_50.mean > 59", ["primary.best.acc_at_50.mean > 59 (best.acc_at_50.mean is 60)"]],
    ["primary.best.acc_at_50.low < 58", []],
    [
      'primary.difference("qwen").acc_at_50.low < 9 and primary.verdict.case == "outperforms"',
      [
        'primary.difference("qwen").acc_at_50.low < 9 and primary.verdict.case == "outperforms" (difference("qwen").acc_at_50.low is 8, verdict.case is "outperforms")',
      ],
    ],
  ])("%s", (condition, held) => {
    const conditions = checkFailIf([condition], several);
    expect(conditions.map(({ scope }) => scope)).toEqual(["primary"]);
    expect(heldConditions(conditions, figuresOfCombined(combined))).toEqual(held);
  });

  test.each([
    ["primary.best.acc_at_50.mean < 1 or best.acc_at_50.mean < 1", several, "found best.acc_at_50.mean"],
    ["primary.best.acc_at_50.mean < 1", { ...several, hasPrimary: false }, "one split"],
    ["primary.nothing < 1", several, "found nothing"],
  ])("refused: %s", (condition, names, message) => {
    const error = errorOf(() => checkFailIf([condition], names));
    expect(error).toMatchObject({ code: "bad_input" });
    expect(String(error)).toContain(message);
  });

  test("a figure that only splits have is missing", () => {
    const [condition] = checkFailIf(["primary.best.miou.mean < 1"], several);
    const error = errorOf(() => condition?.holds(figuresOfCombined(combined)));
    expect(String(error)).toContain("found none in the figures over refcoco-unc:testA, refcoco-unc:testB");
  });
});
