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

test.each<[string, Summary, string]>([
  [
    "a clear lead names the next best and the paired difference",
    madeSummary([film, token, { label: "old", acc: [0.3, 0.3] }]),
    "film grounds best, with an Acc@0.5 of 61.0 % (59.0 to 63.0) on val: +10.0 points (+8.0 to +12.0) over the next best, token.",
  ],
  [
    "one seed each: the seed's luck is not ruled out",
    madeSummary([
      { label: "film", acc: [0.6] },
      { label: "token", acc: [0.5] },
    ]),
    "film grounds best, with an Acc@0.5 of 60.0 % (58.0 to 62.0) on val: +10.0 points (+8.0 to +12.0) over token; with one seed each, luck of the seed is not ruled out.",
  ],
  [
    "an interval that holds 0 is no lead",
    madeSummary([film, { label: "token", acc: [0.6, 0.6] }]),
    "film leads with an Acc@0.5 of 61.0 % (59.0 to 63.0) on val, but these 360 images cannot tell it apart from token: +1.0 points (−1.0 to +3.0).",
  ],
  [
    "a seed that says otherwise is no lead either",
    madeSummary([
      { label: "film", acc: [0.7, 0.5] },
      { label: "token", acc: [0.5, 0.51] },
    ]),
    "film leads with an Acc@0.5 of 60.0 % (58.0 to 62.0) on val, but it is not ahead of token with every seed: +9.5 points (+7.5 to +11.5).",
  ],
  [
    "one setting has nothing to be compared with",
    madeSummary([film]),
    "film reaches an Acc@0.5 of 61.0 % (59.0 to 63.0) on val; there is no other setting to compare it with.",
  ],
  [
    "no hit at all is no answer",
    madeSummary([
      { label: "film", acc: [0] },
      { label: "token", acc: [0] },
    ]),
    "No setting finds anything: Acc@0.5 is 0.0 % on val.",
  ],
  [
    "what a box without understanding reaches is no success",
    madeSummary([{ label: "film", acc: [0.06, 0.07] }]),
    "film reaches an Acc@0.5 of 6.5 % (4.5 to 8.5) on val; there is no other setting to compare it with; it is not clearly above the floor (blank sentence, 6.0 %).",
  ],
  [
    "on test, the setting was chosen on val",
    madeSummary([film, token, { label: "old", acc: [0.3, 0.3] }], { split: "test" }),
    "film, chosen on val, reaches an Acc@0.5 of 61.0 % (59.0 to 63.0) on test: +10.0 points (+8.0 to +12.0) over the next best on val, token.",
  ],
  [
    "on test, another than val's second may come nearest",
    madeSummary([film, { label: "old", acc: [0.3, 0.3] }, token], { split: "test" }),
    "film, chosen on val, reaches an Acc@0.5 of 61.0 % (59.0 to 63.0) on test: +10.0 points (+8.0 to +12.0) over the nearest, token.",
  ],
  [
    "on test, what val has chosen may be behind",
    madeSummary([token, film], { split: "test" }),
    "token, chosen on val, reaches an Acc@0.5 of 51.0 % (49.0 to 53.0) on test, but film is ahead of it there: −10.0 points (−12.0 to −8.0).",
  ],
  [
    "on test, several may be ahead",
    madeSummary([token, film, { label: "old", acc: [0.56, 0.56] }], { split: "test" }),
    "token, chosen on val, reaches an Acc@0.5 of 51.0 % (49.0 to 53.0) on test, but film and old are ahead of it there: the most film, −10.0 points (−12.0 to −8.0).",
  ],
  [
    "on test, the images may not tell",
    madeSummary([token, { label: "film", acc: [0.52, 0.52] }, { label: "old", acc: [0.5, 0.5] }], {
      split: "test",
    }),
    "token, chosen on val, reaches an Acc@0.5 of 51.0 % (49.0 to 53.0) on test, but these 360 images cannot tell it apart from film and old: the highest is film, −1.0 points (−3.0 to +1.0).",
  ],
  [
    "on test, a chosen setting without a hit does not hide the others'",
    madeSummary([{ label: "film", acc: [0, 0] }, token], { split: "test" }),
    "film, chosen on val, reaches an Acc@0.5 of 0.0 % (0.0 to 0.0) on test, but token is ahead of it there: −51.0 points (−53.0 to −49.0); it is not clearly above the floor (blank sentence, 6.0 %).",
  ],
  [
    "a baseline's one run stands for every seed",
    madeSummary([film, yolo]),
    "film grounds best, with an Acc@0.5 of 61.0 % (59.0 to 63.0) on val: +11.0 points (+9.0 to +13.0) over “YOLO n, crop”.",
  ],
  [
    "a seed that a baseline's one run is ahead of leaves the order open",
    madeSummary([{ label: "film", acc: [0.7, 0.49] }, yolo]),
    "film leads with an Acc@0.5 of 59.5 % (57.5 to 61.5) on val, but it is not ahead of “YOLO n, crop” with every seed: +9.5 points (+7.5 to +11.5).",
  ],
  [
    "so does a seed that is ahead of the best baseline",
    madeSummary([yolo, { label: "film", acc: [0.3, 0.55] }]),
    "“YOLO n, crop” leads with an Acc@0.5 of 50.0 % (48.0 to 52.0) on val, but it is not ahead of film with every seed: +7.5 points (+5.5 to +9.5).",
  ],
  [
    "two baselines owe nothing to a seed's luck",
    madeSummary([yolo, { ...yolo, label: "YOLO n, blur", acc: [0.4] }]),
    "“YOLO n, crop” grounds best, with an Acc@0.5 of 50.0 % (48.0 to 52.0) on val: +10.0 points (+8.0 to +12.0) over “YOLO n, blur”.",
  ],
  [
    "one seed beside a baseline: its luck is not ruled out",
    madeSummary([{ label: "film", acc: [0.6] }, yolo]),
    "film grounds best, with an Acc@0.5 of 60.0 % (58.0 to 62.0) on val: +10.0 points (+8.0 to +12.0) over “YOLO n, crop”; with one seed, luck of the seed is not ruled out.",
  ],
  [
    "a ceiling is no rival, and a baseline alone says what its boxes allow",
    madeSummary([yolo, annotated]),
    "“YOLO n, crop” reaches an Acc@0.5 of 50.0 % (48.0 to 52.0) on val; a hit is among its boxes for 80.0 % of the sentences.",
  ],
  ["no trial, no answer", madeSummary([]), "No trial is complete, so there is no answer yet."],
])("%s", (_, summary, expected) => {
  expect(verdict(summary)).toBe(expected);
});
