import { expect, test } from "vitest";
import type { Summary } from "../../src/contract/generated/types.ts";
import { verdict } from "../../src/report/verdict.ts";
import { type MadeSetting, madeSummary } from "../helpers/report-input.ts";

const film: MadeSetting = { label: "film", acc: [0.6, 0.62] };
const token: MadeSetting = { label: "token", acc: [0.5, 0.52] };

/** `expected`: parts of the verdict, in their order. */
test.each<[title: string, summary: Summary, expected: string[]]>([
  [
    "a lead names the nearest and the difference",
    madeSummary([film, token]),
    ["film outperforms token", "+10.0"],
  ],
  [
    "one seed says nothing about training again",
    madeSummary([{ label: "film", acc: [0.6] }, token]),
    ["These"],
  ],
  ["a single configuration is not compared", madeSummary([film]), ["film reaches", "no other configuration"]],
])("%s", (_, summary, expected) => {
  const text = verdict(summary).replaceAll("\u00a0", " ");
  let at = 0;
  for (const part of expected) {
    expect(text.slice(at)).toContain(part);
    at = text.indexOf(part, at) + part.length;
  }
});
