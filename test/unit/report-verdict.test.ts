import { describe, expect, test } from "vitest";
import type { Remark, Summary, Verdict } from "../../src/contract/generated/types.ts";
import { presets } from "../../src/experiment/presets.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { verdict } from "../../src/report/sections/verdict.ts";
import { otherRemarks } from "../../src/report/sections/verdict-remarks.ts";
import { type MadeSetting, madeInput, madeSummary } from "../helpers/report-input.ts";

const film: MadeSetting = { label: "film", acc: [0.6, 0.62] };
const token: MadeSetting = { label: "token", acc: [0.5, 0.52] };
const words: MadeSetting = { label: "words", acc: [0.4, 0.4] };
const yolo: MadeSetting = { label: "YOLO n, crop", acc: [0.5], baseline: { best_box: 0.8 } };
const annotated: MadeSetting = {
  label: "gt boxes, crop",
  acc: [0.9],
  baseline: { best_box: 1, detector: { kind: "gt_boxes" } },
};

/** Input whose summary has these changes, and whose verdict has those. */
function inputOf(
  settings: MadeSetting[],
  decided: Partial<Verdict>,
  changes: Partial<Summary> = {},
): ReportInput {
  const summary = madeSummary(settings, changes);
  return madeInput(settings, { summary: { ...summary, verdict: { ...summary.verdict, ...decided } } });
}

/** The text with plain spaces. */
function textOf(input: ReportInput): string {
  return verdict(input).replaceAll("\u00a0", " ");
}

/** `expected`: parts of the text, in their order; `absent`: parts it must not have. */
const cases: [title: string, input: ReportInput, expected: string[], absent: string[]][] = [
  [
    "outperforms: names the nearest rival, the gap with its interval, and the seeds",
    inputOf([film, token, words], { case: "outperforms" }),
    [
      "film outperforms token, the nearest of 2,",
      "10.0 points Acc@0.5 on val",
      "(95 % CI 8.0 to 12.0; 2 seeds, clustered by image)",
      "61.0 % against 51.0 %.",
    ],
    ["words", "+", "that matter"],
  ],
  [
    "outperforms a single rival: no 'nearest of'",
    inputOf([film, token], { case: "outperforms" }, { confidence: 0.99 }),
    ["film outperforms token by 10.0 points", "99 % CI"],
    ["nearest"],
  ],
  [
    "outperforms, with a declared difference that matters above the low end",
    inputOf([film, token], { case: "outperforms", possibly_too_small: true }, { smallest_difference: 0.085 }),
    ["film outperforms token", "by possibly less than the 8.5 points that matter."],
    [],
  ],
  [
    "different numbers of seeds are both said",
    inputOf([{ label: "film", acc: [0.6, 0.6, 0.6] }, token], { case: "outperforms" }),
    ["3 and 2 seeds, clustered by image"],
    [],
  ],
  [
    "a baseline has no seeds",
    inputOf([film, yolo], { case: "outperforms" }),
    ["film outperforms “YOLO n, crop” by 11.0 points", "2 seeds, clustered by image"],
    [],
  ],
  [
    "two baselines are fixed models",
    inputOf([yolo, { ...yolo, label: "YOLO n, blur", acc: [0.4] }], { case: "outperforms" }),
    ["“YOLO n, crop” outperforms “YOLO n, blur”", "fixed models, clustered by image"],
    ["seed"],
  ],
  [
    "checkpoints: with one seed each nothing is said about training again",
    madeInput([
      { label: "film", acc: [0.6] },
      { label: "token", acc: [0.5] },
    ]),
    [
      "These checkpoints: film is ahead of token by 10.0 points",
      "1 seed, clustered by image",
      "With one seed each, this says nothing about training again.",
    ],
    ["outperforms"],
  ],
  [
    "checkpoints: the configuration with one seed is named",
    madeInput([film, { label: "token", acc: [0.5] }, words]),
    ["These checkpoints: film", "With one seed of token, this says nothing about training again."],
    [],
  ],
  [
    "checkpoints without a difference",
    madeInput([
      { label: "film", acc: [0.6] },
      { label: "token", acc: [0.595] },
    ]),
    ["These checkpoints: no significant difference in Acc@0.5 on val between film and token", "one seed"],
    ["ahead"],
  ],
  [
    "checkpoints: some open, some beaten",
    madeInput([film, { label: "token", acc: [0.605] }, words]),
    [
      "These checkpoints: no significant difference",
      "film and token (",
      "film is ahead of words.",
      "one seed of token",
    ],
    ["outperforms"],
  ],
  [
    "the same answers, and what is beaten",
    inputOf([film, { ...film, label: "copy" }, token], {
      case: "same_answers",
      beaten: ["token"],
      open: ["copy"],
    }),
    ["film and copy have the same hits on val, with an Acc@0.5 of 61.0 %.", "film outperforms token."],
    ["No significant"],
  ],
  [
    "the same answers, on test behind another one",
    inputOf(
      [token, { ...token, label: "copy" }, film],
      { case: "same_answers", beaten: [], open: ["copy"], ahead: ["film"] },
      { split: "test" },
    ),
    ["token and copy have the same hits on test", "token is behind film."],
    ["outperforms"],
  ],
  [
    "behind: on test, the one chosen on val loses",
    inputOf(
      [token, film, { label: "words", acc: [0.56, 0.56] }],
      { case: "behind", ahead: ["film", "words"], beaten: [], open: [] },
      { split: "test" },
    ),
    [
      "token, selected on val, is behind film on test by 10.0 points Acc@0.5",
      "(95 % CI 8.0 to 12.0; 2 seeds, clustered by image).",
      "also behind words.",
    ],
    ["−", "outperforms"],
  ],
  [
    "equivalent within the declared difference",
    inputOf(
      [film, { label: "token", acc: [0.608, 0.608] }, words],
      { case: "equivalent", open: ["token"], beaten: ["words"] },
      { smallest_difference: 0.03 },
    ),
    [
      "film and token are equivalent within 3.0 points Acc@0.5 on val",
      "(61.0 % against 60.8 %, difference +0.2 points, 95 % CI −1.8 to +2.2; 2 seeds, clustered by image).",
      "film outperforms words.",
    ],
    ["No significant"],
  ],
  [
    "several are equivalent to the best: the largest difference",
    inputOf(
      [film, { label: "token", acc: [0.608, 0.608] }, { label: "old", acc: [0.605, 0.605] }],
      { case: "equivalent", open: ["token", "old"], beaten: [] },
      { smallest_difference: 0.03 },
    ),
    [
      "film and each of token and old are equivalent within 3.0 points Acc@0.5 on val",
      "; the largest difference is to old (61.0 % against 60.5 %, difference +0.5 points",
    ],
    ["No significant"],
  ],
  [
    "no difference: the detectable effect is said",
    inputOf([film, { label: "token", acc: [0.6, 0.6] }], { case: "no_difference" }),
    [
      "No significant difference in Acc@0.5 on val between film and token",
      "(61.0 % against 60.0 %, difference +1.0 points, 95 % CI −1.0 to +3.0; 2 seeds, clustered by image, minimum detectable effect 2.8 points).",
    ],
    ["best", "outperforms", "nearest"],
  ],
  [
    "mixed: names which are beaten and which are open",
    inputOf([film, { label: "token", acc: [0.6, 0.6] }, { label: "old", acc: [0.605, 0.605] }, words], {
      case: "mixed",
    }),
    [
      "No significant difference in Acc@0.5 on val between film and each of token and old; the nearest is old",
      "+0.5 points",
      "film outperforms words.",
    ],
    [],
  ],
  [
    "many names are counted",
    inputOf(
      [film, ...Array.from({ length: 30 }, (_, index) => ({ label: `row ${index}`, acc: [0.6, 0.6] }))],
      {
        case: "no_difference",
      },
    ),
    ["film and each of row 0, row 1, row 2 and 27 others"],
    ["row 3"],
  ],
  [
    "one setting is not compared",
    inputOf([film], { case: "one_setting" }),
    ["film reaches an Acc@0.5 of 61.0 % on val (95 % CI 59.0 to 63.0; 2 seeds", "no other configuration"],
    ["one seed"],
  ],
  [
    "one setting with one seed says nothing about training again",
    inputOf([{ label: "film", acc: [0.6] }], { case: "one_setting" }),
    ["film reaches", "1 seed,", "with one seed, this says nothing about training again."],
    [],
  ],
  [
    "an upper bound is no rival",
    inputOf([yolo, annotated], { case: "one_setting" }),
    ["“YOLO n, crop” reaches an Acc@0.5 of 50.0 %", "no other configuration"],
    ["gt boxes"],
  ],
  [
    "too few images for a comparison",
    inputOf([film, token], { case: "few_images" }, { num_images: 12 }),
    ["film reaches an Acc@0.5 of 61.0 % on val; 12 images are too few"],
    ["token"],
  ],
  [
    "without any hit there is no best configuration",
    inputOf(
      [
        { label: "film", acc: [0, 0] },
        { label: "token", acc: [0, 0] },
      ],
      { case: "no_hit" },
    ),
    ["No configuration has a hit", "0.0 % on val."],
    ["film"],
  ],
];

test.each(cases)("%s", (_, input, expected, absent) => {
  expectParts(textOf(input), expected, absent);
});

describe("remarks", () => {
  const behind = (group: string, against: string, mean: number): Remark => ({
    kind: "behind",
    against,
    by: "stratum",
    group,
    difference: { mean, low: mean - 0.02, high: mean + 0.02 },
  });
  const below = (group: string | null, chance: number): Remark => ({
    kind: "below_chance",
    by: group === null ? null : "stratum",
    group,
    acc_at_50: { mean: 0.286, low: 0.25, high: 0.32 },
    chance,
  });
  test.each<[title: string, remarks: Remark[], expected: string[]]>([
    [
      "seeds that did not finish",
      [{ kind: "seeds", label: "token", num_completed: 2, num_planned: 3 }],
      ["2 of 3 seeds of token finished."],
    ],
    [
      "behind one rival in a subset",
      [behind("negation", "token", -0.164)],
      ["film is behind token in negation by 16.4 points (14.4 to 18.4)."],
    ],
    [
      "behind one rival in several: the largest",
      [behind("two_hop", "token", -0.05), behind("negation", "token", -0.164)],
      ["film is behind token in 2 subsets, most in negation by 16.4 points (14.4 to 18.4)."],
    ],
    [
      "behind several rivals in one subset",
      [behind("negation", "words", -0.05), behind("negation", "token", -0.164)],
      ["film is behind words and token in negation by up to 16.4 points (14.4 to 18.4)."],
    ],
    [
      "behind several rivals in several subsets",
      [behind("two_hop", "words", -0.05), behind("negation", "token", -0.164)],
      [
        "behind other configurations in 2 subsets, most behind token in negation by 16.4 points (14.4 to 18.4).",
      ],
    ],
    [
      "below chance in a subset",
      [below("size_or_part", 0.45)],
      ["film is below same-category chance in size or part (28.6 % against 45.0 %)."],
    ],
    [
      "below chance in several",
      [below(null, 0.3), below("negation", 0.45)],
      ["below same-category chance in 2 places, most in negation (28.6 % against 45.0 %)."],
    ],
    ["below chance on the whole split", [below(null, 0.4)], ["below same-category chance on val as a whole"]],
    [
      "not above its own image-only answers",
      [{ kind: "not_above_blank", difference: { mean: 0.003, low: -0.01, high: 0.016 } }],
      ["film is not significantly above its own image-only answers: +0.3 points (−1.0 to +1.6)."],
    ],
    [
      "below its own image-only answers",
      [{ kind: "not_above_blank", difference: { mean: -0.1, low: -0.12, high: -0.08 } }],
      ["film is significantly below its own image-only answers, by 10.0 points (8.0 to 12.0)."],
    ],
    [
      "several weaknesses are one sentence",
      [behind("negation", "token", -0.164), below("negation", 0.45)],
      [
        "film is behind token in negation by 16.4 points (14.4 to 18.4) and below same-category chance in negation",
      ],
    ],
    [
      "still rising, with the number of epochs",
      [{ kind: "still_rising", labels: ["film", "token"] }],
      [`Accuracy of film and token was still rising after ${presets.default.training.num_epochs} epochs.`],
    ],
  ])("%s", (_, remarks, expected) => {
    const input = inputOf([film, token], { case: "outperforms", remarks });
    expectParts(textOf(input), ["film outperforms token", ...expected], []);
  });
});

describe("what only the report knows", () => {
  const remarksOf = (changes: Partial<ReportInput>): string =>
    otherRemarks(madeInput([film, token], changes)).join(" ");

  test("val: the highest was chosen on these images", () => {
    expectParts(
      remarksOf({}),
      ["highest of 2, the Acc@0.5 of film", "overestimated by about 0.4 points"],
      ["look", "overridden"],
    );
  });

  test("test: selected on val, and the number of the look", () => {
    const summary = madeSummary([film, token], { split: "test", optimism: null });
    expectParts(
      remarksOf({ summary, numLooks: 3 }),
      ["selected on val.", "look 3 at test"],
      ["overestimated"],
    );
  });

  test("presets whose values are overridden", () => {
    const trials = madeInput([film, token]).trials.map((trial) =>
      trial.spec.kind === "cliprpn" && trial.spec.label === "token"
        ? { ...trial, spec: { ...trial.spec, settings: { ...trial.spec.settings, image_size_px: 448 } } }
        : trial,
    );
    expectParts(remarksOf({ trials }), ["overridden in token"], ["film and"]);
  });
});

function expectParts(text: string, expected: string[], absent: string[]): void {
  let end = 0;
  for (const part of expected) {
    expect(text.slice(end)).toContain(part);
    end = text.indexOf(part, end) + part.length;
  }
  for (const part of absent) expect(text).not.toContain(part);
}
