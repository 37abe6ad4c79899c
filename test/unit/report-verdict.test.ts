import { expect, test } from "vitest";
import type { Summary } from "../../src/contract/generated/types.ts";
import { verdict } from "../../src/report/verdict.ts";
import { type MadeSetting, madeSummary } from "../helpers/report-input.ts";

const film: MadeSetting = { label: "film", acc: [0.6, 0.62] };
const token: MadeSetting = { label: "token", acc: [0.5, 0.52] };
const yolo: MadeSetting = { label: "YOLO n, crop", acc: [0.5], baseline: { best_box: 0.8 } };
const annotated: MadeSetting = {
  label: "gt boxes, crop",
  acc: [0.9],
  baseline: { best_box: 1, detector: { kind: "gt_boxes" } },
};

/** Phrases of all caveats about the best configuration. */
const caveats = [
  "cannot distinguish it from",
  "with every seed",
  "variance between seeds",
  "better on test",
  "ignoring the expression",
];

/** `expected`: parts of the verdict, in their order, with all its caveats. */
test.each<[title: string, summary: Summary, expected: string[]]>([
  [
    "a clear lead names the next best and the paired difference",
    madeSummary([film, token, { label: "old", acc: [0.3, 0.3] }]),
    [
      "film grounds best",
      "61.0 % (59.0 to 63.0) on val",
      "+10.0 points (+8.0 to +12.0)",
      "next best, token.",
    ],
  ],
  [
    "with one seed each, the variance between seeds is unknown",
    madeSummary([
      { label: "film", acc: [0.6] },
      { label: "token", acc: [0.5] },
    ]),
    [
      "film grounds best",
      "60.0 % (58.0 to 62.0) on val",
      "+10.0 points (+8.0 to +12.0) over token",
      "one seed each",
      "variance between seeds",
    ],
  ],
  [
    "an interval that contains 0 is no clear lead",
    madeSummary([film, { label: "token", acc: [0.6, 0.6] }]),
    [
      "film leads",
      "61.0 % (59.0 to 63.0) on val",
      "360 images",
      "cannot distinguish it from",
      "token",
      "+1.0 points (−1.0 to +3.0).",
    ],
  ],
  [
    "a lead that one seed contradicts is no clear lead",
    madeSummary([
      { label: "film", acc: [0.7, 0.5] },
      { label: "token", acc: [0.5, 0.51] },
    ]),
    [
      "film leads",
      "60.0 % (58.0 to 62.0) on val",
      "not better than token",
      "with every seed",
      "+9.5 points (+7.5 to +11.5).",
    ],
  ],
  [
    "a single configuration is not compared",
    madeSummary([film]),
    ["film reaches", "61.0 % (59.0 to 63.0) on val", "no other configuration"],
  ],
  [
    "without any hit there is no best configuration",
    madeSummary([
      { label: "film", acc: [0] },
      { label: "token", acc: [0] },
    ]),
    ["No configuration", "0.0 % on val."],
  ],
  [
    "a best configuration near the image-only baseline may ignore the expression",
    madeSummary([{ label: "film", acc: [0.06, 0.07] }]),
    ["film reaches", "6.5 % (4.5 to 8.5) on val", "ignoring the expression", "image-only baseline, 6.0 %"],
  ],
  [
    "on test, the configuration was selected on val",
    madeSummary([film, token, { label: "old", acc: [0.3, 0.3] }], { split: "test" }),
    [
      "film, selected on val,",
      "61.0 % (59.0 to 63.0) on test",
      "+10.0 points (+8.0 to +12.0)",
      "next best on val, token.",
    ],
  ],
  [
    "on test, the closest may not be the second best on val",
    madeSummary([film, { label: "old", acc: [0.3, 0.3] }, token], { split: "test" }),
    [
      "film, selected on val,",
      "61.0 % (59.0 to 63.0) on test",
      "+10.0 points (+8.0 to +12.0)",
      "closest, token.",
    ],
  ],
  [
    "on test, another one may be better than the best on val",
    madeSummary([token, film], { split: "test" }),
    [
      "token, selected on val,",
      "51.0 % (49.0 to 53.0) on test",
      "film is",
      "better on test",
      "−10.0 points (−12.0 to −8.0).",
    ],
  ],
  [
    "on test, several may be better",
    madeSummary([token, film, { label: "old", acc: [0.56, 0.56] }], { split: "test" }),
    [
      "token, selected on val,",
      "51.0 % (49.0 to 53.0) on test",
      "film and old are",
      "better on test",
      "largest",
      "film, −10.0 points (−12.0 to −8.0).",
    ],
  ],
  [
    "on test, the images may not distinguish the configurations",
    madeSummary([token, { label: "film", acc: [0.52, 0.52] }, { label: "old", acc: [0.5, 0.5] }], {
      split: "test",
    }),
    [
      "token, selected on val,",
      "51.0 % (49.0 to 53.0) on test",
      "360 images",
      "cannot distinguish it from",
      "film and old",
      "highest is film, −1.0 points (−3.0 to +1.0).",
    ],
  ],
  [
    "on test, a selected configuration without a hit does not hide the others' hits",
    madeSummary([{ label: "film", acc: [0, 0] }, token], { split: "test" }),
    [
      "film, selected on val,",
      "0.0 % (0.0 to 0.0) on test",
      "token is",
      "better on test",
      "−51.0 points (−53.0 to −49.0)",
      "ignoring the expression",
      "image-only baseline, 6.0 %",
    ],
  ],
  [
    "the single run of a baseline is paired with every seed",
    madeSummary([film, yolo]),
    [
      "film grounds best",
      "61.0 % (59.0 to 63.0) on val",
      "+11.0 points (+9.0 to +13.0) over “YOLO n, crop”.",
    ],
  ],
  [
    "a seed that is worse than a baseline contradicts a lead",
    madeSummary([{ label: "film", acc: [0.7, 0.49] }, yolo]),
    [
      "film leads",
      "59.5 % (57.5 to 61.5) on val",
      "not better than “YOLO n, crop”",
      "with every seed",
      "+9.5 points (+7.5 to +11.5).",
    ],
  ],
  [
    "a seed that is better than the leading baseline contradicts its lead",
    madeSummary([yolo, { label: "film", acc: [0.3, 0.55] }]),
    [
      "“YOLO n, crop” leads",
      "50.0 % (48.0 to 52.0) on val",
      "not better than film",
      "with every seed",
      "+7.5 points (+5.5 to +9.5).",
    ],
  ],
  [
    "two baselines do not depend on a seed",
    madeSummary([yolo, { ...yolo, label: "YOLO n, blur", acc: [0.4] }]),
    [
      "“YOLO n, crop” grounds best",
      "50.0 % (48.0 to 52.0) on val",
      "+10.0 points (+8.0 to +12.0) over “YOLO n, blur”.",
    ],
  ],
  [
    "with one seed next to a baseline, the variance between seeds is unknown",
    madeSummary([{ label: "film", acc: [0.6] }, yolo]),
    [
      "film grounds best",
      "60.0 % (58.0 to 62.0) on val",
      "+10.0 points (+8.0 to +12.0) over “YOLO n, crop”.",
      "With one seed,",
      "variance between seeds",
    ],
  ],
  [
    "an upper bound is not compared, and a single baseline says what its boxes contain",
    madeSummary([yolo, annotated]),
    ["“YOLO n, crop” reaches", "50.0 % (48.0 to 52.0) on val", "boxes", "80.0 % of the expressions."],
  ],
  ["without a complete trial there is no result", madeSummary([]), ["No trial is complete"]],
])("%s", (_, summary, expected) => {
  const text = verdict(summary);
  let end = 0;
  for (const part of expected) {
    expect(text.slice(end)).toContain(part);
    end = text.indexOf(part, end) + part.length;
  }
  expect(caveats.filter((caveat) => text.includes(caveat))).toEqual(
    caveats.filter((caveat) => expected.includes(caveat)),
  );
});
