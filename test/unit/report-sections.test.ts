import { describe, expect, test } from "vitest";
import type { Comparison, Interval, Remark, Summary } from "../../src/contract/generated/types.ts";
import { presets } from "../../src/experiment/presets.ts";
import type { Charts } from "../../src/report/charts/draw-charts.ts";
import { render } from "../../src/report/markdown.ts";
import { negated } from "../../src/report/points.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { trainingHours } from "../../src/report/sections/cost.ts";
import type { Gallery } from "../../src/report/sections/gallery.ts";
import { rowCommand } from "../../src/report/sections/reproduce.ts";
import { allBlocks } from "../helpers/report-blocks.ts";
import {
  failed,
  type MadeSetting,
  madeInput,
  madeSpec,
  madeSummary,
  madeTrial,
} from "../helpers/report-input.ts";

const charts: Charts = {
  leaderboard: { file: "leaderboard.svg", alt: "leaderboard" },
  boxes: { file: "boxes.svg", alt: "boxes" },
  subsets: { file: "strata.svg", alt: "subsets" },
  curves: { file: "curves.svg", alt: "curves" },
  differences: { file: "differences.svg", alt: "differences" },
  accuracyAtIou: { file: "accuracy-at-iou.svg", alt: "Acc@t" },
  time: { file: "time.svg", alt: "time" },
};
const gallery: Gallery = {
  groups: [{ title: "Wins", text: "4 of 965", images: [{ file: "best-1.png", alt: "the cup" }] }],
  unreadable: [],
};
const film = { label: "film", acc: [0.6, 0.62] };
const token = { label: "token", acc: [0.5, 0.52] };

const old = { label: "old", acc: [0.3, 0.3] };

const report = (settings: MadeSetting[] = [film, token], changes: Partial<ReportInput> = {}): string =>
  render(allBlocks(madeInput(settings, changes), charts, gallery, { images: [], unreadable: [] })).replaceAll(
    "\u00a0",
    " ",
  );

/** Its section on what differs. */
function differ(changes: Partial<ReportInput>, settings?: MadeSetting[]): string {
  return sectionOf(report(settings, changes), "## What differs");
}

function sectionOf(written: string, title: string): string {
  const start = written.indexOf(`${title}\n`);
  expect(start).toBeGreaterThan(0);
  return written.slice(start, written.indexOf("\n## ", start + 1));
}

test("the question is the title, the verdict the first sentence", () => {
  const [title, , answer] = report().split("\n");
  expect(title).toBe("# Which fusion grounds best?");
  expect(answer).toMatch(/^\*\*film outperforms token .*\.\*\* /);
});

test.each([
  ["Comparison with film", "differences"],
  ["By subset", "strata"],
  ["All metrics", "accuracy-at-iou"],
  ["Time and memory", "time"],
])("the section %s has the chart %s", (title, name) => {
  expect(sectionOf(report(), `## ${title}`)).toContain(`(${name}.svg)`);
});

test("without subsets of the dataset, the differences by size and length are among the other breakdowns", () => {
  const { summary } = madeInput([film, token]);
  const subsets = summary.subsets.filter(({ by }) => by !== "stratum");
  const written = report([film, token], { summary: { ...summary, subsets } });
  expect(sectionOf(written, "## Other breakdowns")).toContain("(strata.svg)");
});

describe("leaderboard", () => {
  test("has rank, difference to the best, image-only answers and every seed, and what ignores the expression", () => {
    const written = report();
    expect(written).toContain(
      "| film | 1 to 2 | 61.0 (59.0 to 63.0) | reference | – | 6.0 | 1.4 | 0: 60.0, 1: 62.0 |",
    );
    expect(written).toContain(
      "| token | 1 to 2 | 51.0 (49.0 to 53.0) | −10.0 (−12.0 to −8.0) | < 0.001 | 6.0 |",
    );
    expect(written).toContain("| *constant box* | – | 2.0 (0.0 to 4.0) |");
    expect(written).toContain("| *same-category chance* | – | 5.0 | – |");
    expect(written).toContain("hold for the training procedure");
  });

  test("names the population of each row where they differ", () => {
    const settings = [film, { label: "token", acc: [0.5] }];
    const written = report(settings);
    expect(written).toMatch(/^\| film \|.*\| procedure \|/m);
    expect(written).toMatch(/^\| token \|.*\| checkpoints \|/m);
  });

  test("too few images have differences, but no intervals, p values, ranks and comparison", () => {
    const summary = madeSummary([film, { label: "token", acc: [0.5] }], { num_images: 29 });
    const bare = ({ mean }: Interval): Interval => ({ mean, low: null, high: null });
    const settings = summary.settings.map((setting) => ({
      ...setting,
      rank: null,
      figures: setting.figures.map((each) => ({ ...each, interval: bare(each.interval) })),
    }));
    const comparisons = summary.comparisons.map((each) => ({
      ...each,
      difference: bare(each.difference),
      p_value: null,
      p_adjusted: null,
    }));
    const written = report([film, token], { summary: { ...summary, settings, comparisons } });
    expect(written).not.toContain("Values in parentheses");
    expect(written).not.toContain("interval for");
    expect(written).toContain(
      "29 images are too few for intervals, p values and ranks. Differences are in points, from film.",
    );
    expect(written).toContain("| token | 50.0 | −11.0 | 6.0 |");
    expect(written).not.toContain("## Comparison with film");
  });

  test("compares with the declared baseline, and the best has a table of its own", () => {
    const summary = madeSummary([film, token, old]);
    const comparison = summary.comparisons.find(({ against }) => against === "token");
    if (comparison === undefined) throw new Error("expected a comparison");
    const declared = [
      { ...comparison, label: "token", against: "film", difference: negated(comparison.difference) },
      { ...comparison, label: "token", against: "old" },
    ];
    const comparisons = [...summary.comparisons, ...declared];
    const written = report([film, token, old], { summary: { ...summary, baseline: "token", comparisons } });
    expect(written).toContain("difference to token");
    expect(written).toMatch(/from token, the declared baseline/);
    expect(written).toMatch(/^\| film \|.*\| \+10\.0 \(\+8\.0 to \+12\.0\) \|/m);
    expect(written.match(/^## Comparison with (film|token)$/gm)).toEqual([
      "## Comparison with token",
      "## Comparison with film",
    ]);
  });
});

describe("comparisons", () => {
  const changed = (changes: Partial<Comparison>, rest: Partial<Summary> = {}): string => {
    const summary = madeSummary([film, { label: "token", acc: [0.6, 0.6] }], rest);
    const comparisons = summary.comparisons.map((each) => ({ ...each, ...changes }));
    return sectionOf(
      report([film, token], { summary: { ...summary, comparisons } }),
      "## Comparison with film",
    );
  };

  test("say what would be needed to detect a difference that is not significant", () => {
    expect(changed({})).toContain(
      "| token | −1.0 (−3.0 to +1.0) | 0.310 | 0.310 | 2.8 | 97 % | 12 seeds or 1,200 images |",
    );
    expect(changed({ num_seeds_needed: null })).toContain("| 1,200 images; no number of seeds suffices |");
    expect(changed({ num_images_needed: null })).toContain("| 12 seeds; no number of images suffices |");
    expect(changed({ num_seeds_needed: null, num_images_needed: null })).toContain(
      "| more seeds and more images together |",
    );
  });

  test("ask for no seeds of fixed models, and for nothing where the difference is significant", () => {
    expect(changed({ population: "checkpoints", num_seeds_needed: null })).toContain("| 1,200 images |");
    expect(changed({ p_adjusted: 0.01 })).not.toMatch(/to detect it|1,200 images/);
  });

  test("with a declared difference that matters, that one is to be detected", () => {
    // 2.8 points are detectable.
    expect(changed({}, { smallest_difference: 0.02 })).toMatch(
      /to detect a difference of 2\.0 points:.*1,200 images/s,
    );
    expect(changed({}, { smallest_difference: 0.03 })).not.toContain("to detect");
  });

  test("of two configurations need no second table", () => {
    const summary = madeSummary([film, token]);
    const declared = summary.comparisons.map((each) => ({ ...each, label: "token", against: "film" }));
    const comparisons = [...summary.comparisons, ...declared];
    const written = report([film, token], { summary: { ...summary, baseline: "token", comparisons } });
    expect(written.match(/^## Comparison with .*$/gm)).toEqual(["## Comparison with token"]);
  });

  test("say what is equivalent only if a difference that matters is declared", () => {
    expect(changed({})).not.toContain("equivalent");
    const declared = { smallest_difference: 0.03 };
    expect(changed({ equivalent: true }, declared)).toMatch(/equivalent within 3\.0.*\| yes \|/s);
    expect(changed({ equivalent: false }, declared)).toContain("| not shown |");
  });

  test("never promise certainty", () => {
    expect(changed({ chance_new_run_ahead: 0.9999 })).toContain("| > 99 % |");
    expect(changed({ chance_new_run_ahead: 0.0001 })).toContain("| < 1 % |");
  });
});

test("the report has every metric", () => {
  const titles =
    "Acc@0.25 Acc@0.5 Acc@0.75 Acc@0.9 mAcc mIoU oIoU Recall@1 Recall@5 Recall@10 Recall@100".split(" ");
  for (const title of [...titles, "center accuracy", "pair accuracy"])
    expect(report()).toContain(`| ${title} `);
});

describe("subsets", () => {
  test("have accuracy, chance and pair accuracy, and mark significant differences", () => {
    const written = report();
    expect(written).toContain("| configuration | attribute (300) | size or part (300) | two hop (300) |");
    expect(written).toContain("| configuration | attribute (100) | size or part (100) | two hop (100) |");
    expect(written).toContain("| *same-category chance* | 40.0 | 40.0 | 40.0 |");
    expect(written).toContain("| token | 51.0 (49.0 to 53.0) ↓ | 51.0 (49.0 to 53.0) ↓ |");
    expect(written).toContain("| film | 61.0 (59.0 to 63.0) | 61.0 (59.0 to 63.0) |");
  });

  test("where the best is behind or below chance has a section", () => {
    expect(report()).toMatch(/## Where film is behind\n\n.*not significantly behind another/);
    const summary = madeSummary([film, token]);
    const remarks: Remark[] = [
      {
        kind: "behind",
        against: "token",
        by: "sentence_length",
        group: "5 or fewer",
        difference: { mean: -0.05, low: -0.08, high: -0.02 },
      },
      {
        kind: "below_chance",
        by: "stratum",
        group: "two_hop",
        acc_at_50: { mean: 0.286, low: 0.25, high: 0.32 },
        chance: 0.45,
      },
    ];
    const written = report([film, token], {
      summary: { ...summary, verdict: { ...summary.verdict, remarks } },
    });
    expect(written).toContain("| expressions of 5 or fewer words | token | 300 | −5.0 (−8.0 to −2.0) |");
    expect(written).toMatch(
      /below same-category chance.*\n\n- two hop: 28\.6 % \(25\.0 to 32\.0\) against 45\.0 %$/m,
    );
  });
});

test("failed and waiting trials are listed with the reason", () => {
  const input = madeInput([film, token]);
  const written = report([film, token], {
    trials: [
      ...input.trials,
      madeTrial(madeSpec("token", 2), failed("token", 2, "loss | is <nan>\n\nat step `3`")),
      madeTrial(madeSpec("film", 2), undefined),
    ],
  });
  expect(written).toContain("4 of 6 trials complete");
  expect(written).toContain("1 trial failed");
  expect(written).toMatch(/- token, seed 2 \(`\w+`\): loss_not_finite: loss \| is \\<nan> at step \\`3\\`/);
  expect(written).toMatch(/- film, seed 2 \(`\w+`\): not run yet/);
});

test("stale and imported trials are listed", () => {
  const trials = madeInput([film, token]).trials.map((trial, index) => ({
    ...trial,
    isStale: index === 0,
    origin: index >= 2 ? { kind: "import" as const, from: "results.zip" } : null,
  }));
  expect(differ({ trials })).toMatch(/^- Stale.*: film, seed 0\.$/m);
  expect(differ({ trials })).toMatch(/^- Imported.*results\.zip.*: token, seeds 0 and 1\.$/m);
  expect(differ({ trials: trials.map((trial) => ({ ...trial, isStale: true })) })).toMatch(
    /^- Stale.*: all 4 trials\.$/m,
  );
  expect(report()).not.toMatch(/Stale|Imported|What differs/);
});

test("seeds are counted by configuration: others may have seeds of their own", () => {
  const trials = ["A", "B"].flatMap((label, place) =>
    [0, 1, 2].map((seed) => madeTrial(madeSpec(label, seed + 3 * place), undefined)),
  );
  expect(report([film, token], { trials })).toMatch(/of 6 trials complete, 3 seeds, /);
  expect(report([film, token], { trials: trials.slice(0, 4) })).toMatch(
    /of 4 trials complete, 1 to 3 seeds, /,
  );
});

test("budgets, seeds, processors, precisions and versions are listed if they differ", () => {
  const long = { label: "long", acc: [0.5, 0.5, 0.5] };
  const trials = madeInput([film, long]).trials.map((trial, index) => {
    const { spec, outcome } = trial;
    if (spec.kind !== "cliprpn" || outcome?.state !== "completed") return trial;
    const training = { ...spec.settings.training, num_epochs: spec.label === "long" ? 30 : 2 };
    const environment = {
      ...outcome.environment,
      ...(index === 0 ? { device_name: "another", torch: "3.0.0" } : {}),
    };
    return {
      ...trial,
      spec: { ...spec, settings: { ...spec.settings, training } },
      outcome: { ...outcome, environment, precision: index === 0 ? ("bf16" as const) : ("fp32" as const) },
    };
  });
  const written = differ({ trials }, [film, long]);
  expect(written).toMatch(
    /^- Precisions of training differ.* auto: bf16 \(film, seed 0\); fp32 \(film, seed 1; long, seeds 0, 1 and 2\)\.$/m,
  );
  expect(report([film, long], { trials })).toContain("trained in bf16");
  expect(written).toMatch(/^- Training budgets differ\. 2 epochs: film; 30 epochs: long\.$/m);
  expect(written).toMatch(/^- Seeds differ\. 0 and 1: film; 0, 1 and 2: long\.$/m);
  expect(written).toMatch(/^- Processors differ.*a processor \(4 trials\); another \(film, seed 0\)\.$/m);
  expect(written).toMatch(/^- Versions of torch differ.*2\.14\.1 \(4 trials\); 3\.0\.0 \(film, seed 0\)\.$/m);
});

const three = { label: "film", acc: [0.5, 0.5, 0.5] };

/** The section about the environment, for trials on these hosts and processors. */
function environmentOf(places: { host?: string; device?: string; device_name?: string }[]): string {
  const trials = madeInput([three]).trials.map((trial, index) => {
    if (trial.outcome?.state !== "completed") return trial;
    const environment = { ...trial.outcome.environment, ...places[index] };
    return { ...trial, outcome: { ...trial.outcome, environment } };
  });
  return report([three], { trials }).split("## Environment")[1]?.split("\n## ")[0] ?? "";
}

test("the report says on how many machines trials ran, and names none; of earlier outcomes, it is unknown", () => {
  const [a, b] = [{ host: "secret-1" }, { host: "secret-2" }];
  const gpus = { device_name: "A100" };
  const written = [
    environmentOf([a, b, b]),
    environmentOf([{ ...a, ...gpus, device: "cuda:0" }, { ...a, ...gpus, device: "cuda:1" }, a]),
    environmentOf([a, {}, a]),
  ];
  expect(written[0]).toMatch(/^The 3 trials ran on 2 machines\.$/m);
  expect(written[1]).toMatch(/ran on one machine\. Processors of another model give other last bits/);
  expect(written[1]).toMatch(/^\| A100 \(cuda\) +\| +1 \| +2 \| film, seeds 0 and 1 +\|$/m);
  expect(written[1]?.match(/A100 \(cuda\), 2 threads/g)).toHaveLength(1);
  expect(written[2]).toMatch(
    /^2 of 3 trials ran on one machine\. Of the other one, the machine is not recorded/m,
  );
  expect(environmentOf([])).toMatch(/are not recorded/);
  expect(written.join()).not.toContain("secret");
});

test("what was still rising, and seeds without a result, are listed", () => {
  const summary = madeSummary([film, token]);
  const settings = summary.settings.map((setting) => ({
    ...setting,
    still_rising: true,
    num_planned_seeds: 3,
  }));
  const written = differ({ summary: { ...summary, settings } });
  expect(written).toMatch(/^- Still rising at the last epoch \(after \d+ epochs\): film and token\./m);
  expect(written).toMatch(/^- Seeds without a result: only 2 of 3 of film; 2 of 3 of token finished\.$/m);
});

test("trials adopted from an earlier version's folders are not called imported", () => {
  const trials = madeInput([film]).trials.map((trial) => ({
    ...trial,
    origin: { kind: "adopted" as const, from: "runs/made-0123abcd" },
  }));
  expect(report([film, token], { trials })).not.toContain("Imported");
});

test("trials that are no longer asked for are named, the first of many", () => {
  const notAsked = (num: number): ReportInput["trials"][number]["spec"][] =>
    Array.from({ length: num }, (_, seed) => madeSpec("old", seed));
  expect(report([film, token], { notAsked: notAsked(1) })).toMatch(
    /^- Kept but not shown.*asked for it: old, seed 0\.$/m,
  );
  expect(report([film], { notAsked: notAsked(2) })).toMatch(/^- Kept.*for them: old, seeds 0 and 1\.$/m);
  const many = Array.from({ length: 1000 }, (_, index) => madeSpec(`old ${index}`, 0));
  expect(report([film], { notAsked: many })).toMatch(/^- Kept.*old 0, seed 0; .*; and 992 more\.$/m);
  expect(report()).not.toContain("not shown");
});

test("the report says how often the test splits were evaluated", () => {
  expect(report()).toMatch(/The test splits .*not been evaluated/);
  expect(report([film, token], { numTestLooks: 1 })).toMatch(/The test splits .*evaluated once/);
  expect(report([film, token], { numTestLooks: 3 })).toMatch(/The test splits .*evaluated 3 times/);
});

test("the reference preset is explained if it was run", () => {
  expect(report([film], { trials: withPreset("reference", 30) })).toMatch(
    /settings of ClipRPN \(Trento\), here with the backbone cliprpn-tiny\. .*BatchNorm frozen/,
  );
  expect(report()).not.toMatch(/Trento|BatchNorm/);
});

test("a preset whose values are overridden is not called the original", () => {
  const written = report([film], { trials: withPreset("reference", 2) });
  expect(written).not.toContain("has the settings of");
  expect(written).toMatch(/^- film does not have the settings of ClipRPN \(Trento\):.*training\.num_epochs/m);
  expect(written).toMatch(/^- .* overrides? the reference preset: training\.num_epochs 2 \(preset: 30\)\./m);
  expect(written).toMatch(/\*\* .*overridden in film/);
});

test("what the experiment varies is not called overridden", () => {
  const { training } = presets.default;
  const trials = withPreset("default", training.num_epochs + 1);
  expect(report([film], { trials })).toContain("training.num_epochs");
  expect(report([film], { trials, variedKeys: ["training.num_epochs"] })).not.toContain("verridden");
  expect(report()).not.toContain("verridden");
});

test("without the experiment, what differs under one preset is what varies", () => {
  const fusions = ["film", "other"].map((label, index) => ({ label, acc: [0.6 - index / 10] }));
  const trials = madeInput(fusions).trials.map((trial) =>
    trial.spec.kind === "cliprpn" && trial.spec.label === "other"
      ? { ...trial, spec: { ...trial.spec, settings: { ...presets.default, neck_channels: 64 } } }
      : trial,
  );
  expect(report(fusions, { trials, variedKeys: ["fusion"] })).toContain("neck_channels 64");
  expect(report(fusions, { trials, variedKeys: null })).not.toContain("neck_channels 64");
});

/** Trials of two seeds with this preset and number of epochs. */
function withPreset(preset: "default" | "reference", num_epochs: number): ReportInput["trials"] {
  return madeInput([film]).trials.map(({ spec, ...trial }) => {
    if (spec.kind !== "cliprpn") return { spec, ...trial };
    const training = { ...presets[preset].training, num_epochs };
    const settings = { ...presets[preset], training };
    return { spec: { ...spec, preset, settings }, ...trial };
  });
}

test("published results of this split are next to every configuration", () => {
  const band = { metric: "miou" as const, low: 0.4, high: 0.5, source: "its report", verified: false };
  const written = report([film, token], {
    published: [
      { ...band, split: "val" },
      { ...band, split: "test", source: "elsewhere" },
    ],
  });
  expect(written).toContain("| film | mIoU | its report | no | 40.0 to 50.0 | 61.0 (59.0 to 63.0) | above |");
  expect(written).not.toContain("elsewhere");
});

test("training hours are those of one run, and of what trains", () => {
  const input = madeInput([film, { label: "YOLO, crop", acc: [0.4], baseline: { best_box: 0.8 } }]);
  expect([...trainingHours(input)]).toEqual([["film", 61 / 3600]]);
});

test("the time names how many trials ran at the same time, if it is known and more than one", () => {
  const timeOf = (changes: Partial<ReportInput>): string =>
    sectionOf(report([film, token], changes), "## Time and memory");
  expect(timeOf({ num_slots: 3 })).toMatch(/in total; up to 3 ran at the same time\./);
  for (const changes of [{}, { num_slots: 1 }]) expect(timeOf(changes)).toMatch(/in total\./);
});

test("long tables end with the number of other rows; the leaderboard is complete", () => {
  const many = Array.from({ length: 60 }, (_, index) => ({ label: `row ${index}.`, acc: [0.5, 0.5] }));
  const written = report(many);
  expect(sectionOf(written, "## Leaderboard")).toContain("| row 59. |");
  expect(sectionOf(written, "## By subset")).not.toContain("| row 59. |");
  // Same-category chance has a row.
  expect(sectionOf(written, "## By subset")).toContain("And 21 more, in the JSON file");
});

test("the command of a row has the overrides of the sweep, its configuration and its seed, with shell quotes", () => {
  const source = { file: "experiments/my file.json", sets: ['vary.fusion=["film"]'] };
  expect(rowCommand(source, { kind: "cliprpn", label: "-x", seed: 2 }, "cpu")).toContain(" --setting=-x ");
  expect(rowCommand(source, { kind: "cliprpn", label: "text=words coordinates=on", seed: 2 }, "cuda:0")).toBe(
    "npx cliprpn train 'experiments/my file.json' --set 'vary.fusion=[\"film\"]' --setting 'text=words coordinates=on' --seed 2 --device cuda:0",
  );
});

test("bit-for-bit reproducible is not promised where training.deterministic is false", () => {
  const { trials } = madeInput([film, token]);
  const free = trials.map((trial, index) => {
    if (index > 0 || trial.spec.kind !== "cliprpn") return trial;
    const { settings } = trial.spec;
    const training = { ...settings.training, deterministic: false };
    return { ...trial, spec: { ...trial.spec, settings: { ...settings, training } } };
  });
  expect(report([film, token], { trials })).toContain("bit-for-bit reproducible.");
  expect(report([film, token], { trials: free })).toMatch(
    /bit-for-bit reproducible, except where training\.deterministic is false\./,
  );
});

test("it is said how many trials were resumed, and that bits are only promised on a CPU", () => {
  const resumed_from = { attempt: 1, epoch: 2, step: 0 };
  const resumedOn = (device: string, num: number) =>
    madeInput([film, token]).trials.map((trial, index) =>
      trial.outcome?.state === "completed" && index < num
        ? {
            ...trial,
            outcome: {
              ...trial.outcome,
              resumed_from,
              environment: { ...trial.outcome.environment, device },
            },
          }
        : trial,
    );
  expect(report([film, token])).not.toContain("resumed");
  expect(report([film, token], { trials: resumedOn("cpu", 1) })).toMatch(
    /1 trial was .*resumed from a checkpoint.* its .*to the bit\./,
  );
  expect(report([film, token], { trials: resumedOn("cuda:0", 2) })).toMatch(
    /2 trials were .*resumed from a checkpoint.* their .*may differ/,
  );
});

test("trials that ran out of device memory are named with the sizes that fitted", () => {
  const sizes = [{ micro_batch_size: 16 }, { micro_batch_size: 16, evaluation_batch_size: 64 }];
  const trials = madeInput([film, token]).trials.map((trial, index) =>
    trial.outcome?.state === "completed"
      ? { ...trial, outcome: { ...trial.outcome, ...sizes[index] } }
      : trial,
  );
  const [first, second] = trials.map(({ spec }) => spec);
  const written = report([film, token], { trials });
  const batch = first?.kind === "cliprpn" ? first.settings.training.batch_size : 0;
  expect(written).toMatch(
    new RegExp(
      `memory in the training of ${first?.label}, seeds ${first?.seed} and ${second?.seed}: .* 16 of ${batch} `,
    ),
  );
  expect(written).toMatch(
    new RegExp(`memory in the evaluation of ${second?.label}, seed ${second?.seed}: .* 64 expressions`),
  );
  expect(report([film, token])).not.toContain("out of memory");
  expect(written).not.toMatch(/dropout/i);
});

test("warnings about the data come before the leaderboard, and are not repeated by trials that noted them", () => {
  const input = madeInput([film, token]);
  const noted = input.trials.map((trial) =>
    trial.outcome?.state === "completed"
      ? { ...trial, outcome: { ...trial.outcome, notes: ["val: 3 of 9 are cut off", "slow boxes"] } }
      : trial,
  );
  const written = report([film, token], { trials: noted, dataset_warnings: ["val: 3 of 9 are cut off"] });
  const [above = "", below = ""] = written.split("\n## Leaderboard");
  expect(above).toContain("- **Warning about the data:** val: 3 of 9 are cut off.\n");
  expect(above).toContain("- All configurations: slow boxes.\n");
  expect(`${above}${below}`.match(/3 of 9 are cut off/g)).toHaveLength(1);
  // A dataset of an earlier version recorded no warnings; its trials note them.
  expect(report([film, token], { trials: noted })).toContain("All configurations: val: 3 of 9 are cut off.");
});
