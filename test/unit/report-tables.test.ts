import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import type { ClipRpnSpec } from "../../src/contract/generated/types.ts";
import { type ReportInput, splitFiles } from "../../src/report/report-input.ts";
import { reportJson } from "../../src/report/report-json.ts";
import { latexAblation } from "../../src/report/tables/latex-ablation.ts";
import { latexLeaderboard } from "../../src/report/tables/latex-leaderboard.ts";
import { plusMinus } from "../../src/report/tables/latex-table.ts";
import { latexText } from "../../src/report/tables/latex-text.ts";
import { leaderboardCsv } from "../../src/report/tables/leaderboard-csv.ts";
import { failed, madeInput, madeSpec, madeSummary, madeTrial } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writtenReport } from "../helpers/write-report.ts";

const settings = [
  { label: "film", acc: [0.6, 0.62] },
  { label: "concatenation", acc: [0.5, 0.52] },
  { label: "YOLO, crop", acc: [0.4], baseline: { best_box: 0.8 } },
  { label: "boxes", acc: [0.9], baseline: { best_box: 1, detector: { kind: "gt_boxes" as const } } },
];

/** The two configurations are switched fusions that differ in two switches. */
function switched(input: ReportInput): ReportInput {
  const trials = input.trials.map((trial) => {
    if (trial.spec.kind !== "cliprpn") return trial;
    const isFilm = trial.spec.label === "film";
    const fusion = {
      kind: "switched" as const,
      text: "pooled" as const,
      interaction: isFilm ? ("multiplicative" as const) : ("additive" as const),
      coordinates: isFilm ? ("on" as const) : ("off" as const),
    };
    const spec: ClipRpnSpec = { ...trial.spec, settings: { ...trial.spec.settings, fusion } };
    return { ...trial, spec };
  });
  return { ...input, trials };
}

describe("report.json", () => {
  test("has the verdict, the notes, each trial and the whole summary, and is the same for the same results", async () => {
    const input = madeInput(settings);
    Object.assign(input.trials[0] ?? {}, { isStale: true });
    input.trials.push(madeTrial(madeSpec("broken", 0), failed("broken", 0, "no memory")));
    const { read, folder } = await writtenReport(input);
    const text = read("report.json");
    const report = JSON.parse(text);
    expect(findSchemaErrors("Report", report)).toEqual([]);
    expect(report.summary).toEqual(input.summary);
    expect(report.settings.map(({ label }: { label: string }) => label)).toEqual([
      ...settings.map(({ label }) => label),
      "broken",
    ]);
    expect(report.settings[0].trials).toMatchObject([
      { seed: 0, state: "completed", attempt: 1, is_stale: true, durations_ms: { total: 62_000 } },
      { seed: 1, environment: { device: "cpu" } },
    ]);
    expect(report.settings.at(-1).trials).toMatchObject([
      { state: "failed", attempt: null, durations_ms: null, error: { message: "no memory" } },
    ]);
    expect(report.verdict).toContain("film");
    for (const expected of ["1 trial failed", "Stale results"])
      expect(report.notes.filter((note: string) => note.includes(expected))).toHaveLength(1);
    await writtenReport(input, folder);
    expect(read("report.json")).toBe(text);
  });

  test("replaces the summary of an earlier version", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "summary-val.json"), "{}");
    const { read } = await writtenReport(madeInput(settings), folder);
    expect(existsSync(join(folder, "summary-val.json"))).toBe(false);
    for (const name of ["report.json", "report/val/leaderboard.csv", "report/val/ablation.tex"])
      expect(read("REPORT.md")).toContain(`[${name}](${name})`);
  });

  test("is not written if it would be invalid", async () => {
    const input = madeInput(settings, { numTestLooks: -1 });
    const folder = tempFolder();
    await expect(writtenReport(input, folder)).rejects.toMatchObject({ code: "contract_violation" });
    expect(existsSync(join(folder, "report.json"))).toBe(false);
  });
});

describe("leaderboard.csv", () => {
  test("has a row per configuration with units in the names, and numbers that are numbers", () => {
    const text = leaderboardCsv(reportJson(madeInput(settings)));
    expect(text.split("\r\n")).toHaveLength(settings.length + 2);
    const rows = parse(text, { columns: true }) as Record<string, string>[];
    expect(rows[1]).toMatchObject({
      label: "concatenation",
      num_seeds: "2",
      acc_at_50_percent: "51",
      acc_at_50_low_percent: "49",
      acc_at_50_high_percent: "53",
      reference: "film",
      acc_at_50_minus_reference_points: "-10",
      acc_at_50_minus_reference_low_points: "-12",
      acc_at_50_minus_reference_high_points: "-8",
      num_trainable_parameters: "1234567",
      trial_hours: "0.017222",
    });
    expect(rows[0]).toMatchObject({ label: "film", acc_at_50_minus_reference_points: "" });
    expect(rows[3]).toMatchObject({ is_upper_bound: "true", rank_low: "" });
  });

  test.each([
    "=1+1",
    "+1",
    "-1",
    "@a",
    "\tx",
    "\rx",
    '=HYPERLINK("http://a.b")',
  ])("%j is no formula", (label) => {
    const report = reportJson(madeInput([{ label, acc: [0.5] }]));
    const rows = parse(leaderboardCsv(report), { columns: true }) as Record<string, string>[];
    expect(rows[0]?.label).toBe(`'${label}`);
  });
});

describe("LaTeX", () => {
  test("the leaderboard has means with half widths, and says what they mean", () => {
    const text = latexLeaderboard(reportJson(madeInput(settings)));
    expect(text).toContain("    film & $61.0 \\pm 2.0$ & $61.0 \\pm 2.0$ & $61.0 \\pm 2.0$ & 2 \\\\");
    expect(text).toContain("    YOLO, crop$^\\dagger$ & $40.0 \\pm 2.0$");
    expect(text).toContain("\\emph{upper bound: boxes}$^\\dagger$");
    expect(text).toContain("\\emph{constant box}$^\\dagger$");
    expect(text).toContain("\\emph{image-only baseline} &");
    expect(text).toMatch(
      /\$\\pm\$ has the distances to the ends of the 95 \\% confidence interval .*these models/,
    );
    expect(text).toContain("\\label{tab:made-val-leaderboard}");
  });

  test.each([
    [{ mean: 0, low: 0, high: 0.042 }, "$0.0^{+4.2}_{-0.0}$"],
    [{ mean: -0.1, low: -0.12, high: -0.08 }, "$-10.0 \\pm 2.0$"],
    [{ mean: 0.5, low: null, high: null }, "$50.0$"],
  ])("the interval of %j is %s", (interval, expected) => {
    expect(plusMinus(interval)).toBe(expected);
  });

  test("captions and report.json say what several datasets were trained on together", () => {
    const training_set =
      "The training set is the train splits of a_b and c: 9 images. 3 images were left out.";
    const report = reportJson(madeInput(settings, { training_set }));
    expect(report.training_set).toBe(training_set);
    for (const table of [latexLeaderboard(report), latexAblation(report, [])])
      expect(table).toMatch(
        /\\caption\{.* train splits of a\\_b and c: 9 images\. 3 images were left out\.\}/,
      );
    expect(latexLeaderboard(reportJson(madeInput(settings)))).not.toMatch(/training set/);
  });

  test("no row is marked if all intervals are of checkpoints", () => {
    const text = latexLeaderboard(reportJson(madeInput(settings.slice(2))));
    expect(text).toContain("interval for these models on new images.");
    expect(text).not.toContain("dagger");
  });

  test("the ablation ticks the components, and has the difference, the parameters and the hours", () => {
    const text = latexAblation(reportJson(switched(madeInput(settings))), []);
    expect(text).toContain(
      "Configuration & multiplicative & coordinates & val & $\\Delta$ & Params (M) & Hours \\\\",
    );
    expect(text).toContain("film & $\\checkmark$ & $\\checkmark$ & $61.0 \\pm 2.0$ & -- & 1.23 & 0.017 \\\\");
    expect(text).toContain("concatenation &  &  & $51.0 \\pm 2.0$ & $-10.0 \\pm 2.0$ & 1.23 & 0.017 \\\\");
    expect(text).toContain(
      "YOLO, crop$^\\dagger$ & -- & -- & $40.0 \\pm 2.0$ & $-21.0 \\pm 2.0$ & -- & 0.004 \\\\",
    );
    expect(text).not.toContain("upper bound");
  });

  test("without switches of a fusion, the ablation shows the values of the settings that differ", () => {
    const input = madeInput(settings);
    const trials = input.trials.map((trial) => {
      if (trial.spec.kind !== "cliprpn" || trial.spec.label !== "film") return trial;
      const { training, ...rest } = trial.spec.settings;
      const changed = {
        ...rest,
        neck_channels: null,
        training: { ...training, learning_rate: 0.5, schedule: "constant" as const },
      };
      return { ...trial, spec: { ...trial.spec, settings: changed } };
    });
    const text = latexAblation(reportJson({ ...input, trials }), []);
    expect(text).toContain("Configuration & neck\\_channels & learning\\_rate & schedule & val &");
    expect(text).toContain("    film & none & 0.5 & constant & $61.0");
    expect(text).toContain("    concatenation & 256 & 0.001 & cosine & $51.0");
  });

  test("the ablation has a column for each split whose report shows the same attempts", async () => {
    const input = switched(madeInput(settings));
    const onTest = madeSummary(
      settings.map((setting) => ({ ...setting, acc: setting.acc.map((acc) => acc / 2) })),
      { split: "test" },
    );
    const { folder } = await writtenReport({ ...input, summary: onTest, files: splitFiles("test") });
    const again = input.trials.map((trial) =>
      trial.spec.label === "concatenation" ? { ...trial, attempt: 2 } : trial,
    );
    const { read } = await writtenReport({ ...input, trials: again }, folder);
    const text = read("report/val/ablation.tex");
    expect(text).toContain("& val & test & $\\Delta$");
    expect(text).toContain("$61.0 \\pm 2.0$ & $30.5 \\pm 2.0$ & -- &");
    expect(text).toContain("concatenation &  &  & $51.0 \\pm 2.0$ & -- &");
    writeFileSync(join(folder, "report-test.json"), '{"schema_version":1');
    await writtenReport(input, folder);
    expect(read("report/val/ablation.tex")).not.toContain("test");
  });

  test("differences are to the declared baseline", () => {
    const made = madeSummary(settings);
    const [first] = made.comparisons;
    if (first === undefined) throw new Error("expected comparisons");
    const { difference } = first;
    const flipped = { mean: -difference.mean, low: -(difference.high ?? 0), high: -(difference.low ?? 0) };
    const comparisons = [
      ...made.comparisons,
      { ...first, label: "concatenation", against: "film", difference: flipped },
    ];
    const summary = { ...made, comparisons, baseline: "concatenation" };
    const text = latexAblation(reportJson(madeInput(settings, { summary })), []);
    expect(text).toContain("difference to concatenation on val");
    expect(text).toMatch(/film & .*\$10\.0 \\pm 2\.0\$/);
  });

  test.each([
    [
      "a_b & 100 % {x} \\ $1 #2 ^ ~",
      "a\\_b \\& 100 \\% \\{x\\} \\textbackslash{} \\$1 \\#2 \\textasciicircum{} \\textasciitilde{}",
    ],
    ["\\input{/etc/passwd}", "\\textbackslash{}input\\{/etc/passwd\\}"],
    ["[1pt] *", "{[}1pt{]} {*}"],
    ["x ^^4d --set", "x \\textasciicircum{}\\textasciicircum{}4d -{}-set"],
    ["naïve Łódź “é”", "na\\\"{\\i}ve \\L{}\\'{o}d\\'{z} {``}\\'{e}{''}"],
    ["中 🙂 \u202e", "{[}U+4E2D{]} {[}U+1F642{]} {[}U+202E{]}"],
    ["two\nlines\u0000", "two lines{[}U+2400{]}"],
  ])("%j is printed as it is, or by code points", (text, expected) => {
    expect(latexText(text)).toBe(expected);
  });
});
