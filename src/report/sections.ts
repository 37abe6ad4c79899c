import type { RootContent } from "mdast";
import type { MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";
import { floorNames } from "./charts.ts";
import { bytes, count, duration, interval, percent, points } from "./format.ts";
import { bullets, code, codeBlock, heading, type Inline, image, paragraph, table } from "./markdown.ts";
import { completedTrials, type ReportInput } from "./report-input.ts";
import { signed, verdict } from "./verdict.ts";

/** Pictures beside the report, relative to it; absent ones are left out. */
export interface ReportPictures {
  leaderboard: string;
  strata?: string;
  curves: string;
  cases: { title: string; files: { file: string; sentence: string }[] }[];
}

/** The report's blocks, top to bottom: the answer first, what it rests on after it. */
export function reportBlocks(input: ReportInput, pictures: ReportPictures): RootContent[] {
  return [
    heading(1, input.question),
    paragraph([{ type: "strong", children: [{ type: "text", value: verdict(input.summary) }] }]),
    paragraph(basis(input)),
    ...notes(input),
    ...leaderboard(input, pictures),
    ...comparisons(input.summary),
    ...strata(input.summary, pictures),
    ...otherBreakdowns(input.summary),
    ...curves(pictures),
    ...gallery(pictures),
    ...published(input),
    ...cost(input),
    ...failures(input),
    ...reproduce(input),
    ...definitions(input.summary),
  ];
}

function basis({ summary, trials, name, testReads }: ReportInput): string {
  const seeds = new Set(trials.map(({ spec }) => spec.seed)).size;
  const looks =
    testReads === 0
      ? "The test split has not been looked at."
      : `The test split has been looked at ${testReads === 1 ? "once" : `${testReads} times`} in this sweep.`;
  return `Sweep ${name}: ${completedTrials(trials).length} of ${trials.length} trials complete, ${seeds} ${seeds === 1 ? "seed" : "seeds"}, ${count(summary.num_sentences)} sentences on ${count(summary.num_images)} pictures of ${summary.split}. Intervals are ${percent(summary.confidence, 0)} by bootstrap over pictures (${count(summary.num_resamples)} resamples) of the mean over seeds. ${looks}`;
}

function notes({ trials, summary }: ReportInput): RootContent[] {
  const lines: Inline[] = [];
  if (trials.some(({ spec }) => spec.preset === "reference")) {
    lines.push(
      "The reference preset keeps the original's settings and bugs of modelling, but not its bugs of evaluation; it trains on all sentences, without augmentation, with CLIP's BatchNorm frozen.",
    );
  }
  if (trials.some(({ spec }) => spec.dataset.name === "demo")) {
    lines.push("Figures on the demo data set forecast nothing about RefCOCOg.");
  }
  if (summary.settings.some(({ trial_ids }) => trial_ids.length < 2)) {
    lines.push("A setting with one seed shows nothing of the spread between seeds.");
  }
  return lines.length === 0 ? [] : [bullets(lines)];
}

function leaderboard({ summary }: ReportInput, pictures: ReportPictures): RootContent[] {
  const metrics: [MetricName, string][] = [
    ["acc_at_50", "Acc@0.5"],
    ["miou", "mIoU"],
    ["oiou", "oIoU"],
    ["acc_at_75", "Acc@0.75"],
    ["recall_at_5", "Recall@5"],
    ["pointing", "pointing"],
    ["pair_accuracy", "pairs both right"],
  ];
  const shown = metrics.filter(([metric]) =>
    summary.settings.some((setting) => figureOf(setting, metric) !== undefined),
  );
  const rows = summary.settings.map((setting) => [
    setting.label,
    ...shown.map(([metric], index) => {
      const figure = figureOf(setting, metric);
      if (figure === undefined) return "–";
      return index < 2 || metric === "pair_accuracy"
        ? interval(figure.interval)
        : points(figure.interval.mean);
    }),
    String(setting.trial_ids.length),
  ]);
  const floors = summary.floors.map((floor) => [
    {
      type: "emphasis" as const,
      children: [{ type: "text" as const, value: `floor: ${floorNames[floor.name]}` }],
    },
    ...shown.map(([metric]) =>
      metric === "acc_at_50" ? interval(floor.acc_at_50) : metric === "miou" ? interval(floor.miou) : "",
    ),
    "",
  ]);
  return [
    heading(2, "Leaderboard"),
    image(pictures.leaderboard, "Acc@0.5 of each setting with its interval, a dot a seed, floors dashed"),
    table(["setting (all figures in %)", ...shown.map(([, title]) => title), "seeds"], [...rows, ...floors]),
  ];
}

function comparisons(summary: Summary): RootContent[] {
  if (summary.comparisons.length === 0) return [];
  return [
    heading(2, "Is the best one really better?"),
    paragraph(
      "Difference in Acc@0.5 on the same sentences, in points. An interval that holds 0 means that these pictures cannot tell.",
    ),
    table(
      ["best", "against", "difference"],
      summary.comparisons.map(({ label, against, difference }) => [
        label,
        against,
        `${signed(difference.mean)} [${signed(difference.low)}, ${signed(difference.high)}]`,
      ]),
    ),
  ];
}

function strata(summary: Summary, pictures: ReportPictures): RootContent[] {
  if (pictures.strata === undefined) return [];
  return [
    heading(2, "By kind of sentence"),
    image(pictures.strata, "Acc@0.5 of each setting by stratum, with intervals"),
    breakdownTable(summary, "stratum"),
  ];
}

function otherBreakdowns(summary: Summary): RootContent[] {
  const titles = {
    area_tercile: "By the object's share of the picture",
    sentence_length: "By words in the sentence",
    num_same_category: "By objects of the same category in the picture",
  } as const;
  const blocks = Object.entries(titles).flatMap(([by, title]) =>
    isBreakdown(by) && groupsOf(summary, by).length > 0
      ? [heading(3, title), breakdownTable(summary, by)]
      : [],
  );
  if (blocks.length === 0) return [];
  const macro = `Mean over categories: ${summary.settings.map(({ label, category_macro_acc_at_50 }) => `${label} ${points(category_macro_acc_at_50)} %`).join(", ")}.`;
  return [heading(2, "Other break-downs (Acc@0.5, %)"), ...blocks, paragraph(macro)];
}

function isBreakdown(by: string): by is "area_tercile" | "sentence_length" | "num_same_category" {
  return by === "area_tercile" || by === "sentence_length" || by === "num_same_category";
}

function breakdownTable(summary: Summary, by: SettingSummary["breakdowns"][number]["by"]): RootContent {
  const groups = groupsOf(summary, by);
  return table(
    [
      "setting",
      ...groups.map(
        ({ group, num_sentences }) => `${group.replaceAll("_", " ")} (n = ${count(num_sentences)})`,
      ),
    ],
    summary.settings.map((setting) => [
      setting.label,
      ...groups.map(({ group }) => {
        const found = setting.breakdowns.find((row) => row.by === by && row.group === group);
        return found === undefined ? "–" : interval(found.interval);
      }),
    ]),
  );
}

function groupsOf(summary: Summary, by: string): { group: string; num_sentences: number }[] {
  return (summary.settings[0]?.breakdowns ?? []).filter((row) => row.by === by);
}

function curves(pictures: ReportPictures): RootContent[] {
  return [
    heading(2, "Learning curves"),
    image(pictures.curves, "Acc@0.5 on val after each epoch, a line a seed"),
  ];
}

function gallery(pictures: ReportPictures): RootContent[] {
  const shown = pictures.cases.filter(({ files }) => files.length > 0);
  if (shown.length === 0) return [];
  return [
    heading(2, "Gallery"),
    paragraph("The truth is dashed green; each answer has its setting's name and IoU."),
    ...shown.flatMap(({ title, files }) => [
      heading(3, title),
      ...files.map(({ file, sentence }) => image(file, sentence)),
    ]),
  ];
}

function published({ published: figures, summary }: ReportInput): RootContent[] {
  const [best] = summary.settings;
  const rows = figures
    .filter(({ split }) => split === summary.split)
    .map(({ metric, low, high, source, verified }) => {
      const ours = best === undefined ? undefined : figureOf(best, metric)?.interval;
      const inside = ours !== undefined && ours.mean >= low && ours.mean <= high;
      return [
        metric,
        `${points(low)} to ${points(high)}`,
        ours === undefined ? "–" : interval(ours),
        inside ? "yes" : "no",
        source,
        verified ? "yes" : "no: nobody has run this yet",
      ];
    });
  if (rows.length === 0) return [];
  return [
    heading(2, "Against published figures"),
    table(["figure", "published band, %", "ours, %", "inside", "source", "verified"], rows),
  ];
}

function cost({ trials, summary }: ReportInput): RootContent[] {
  const completed = completedTrials(trials);
  const rows = summary.settings.map((setting) => {
    const own = completed
      .filter(({ spec }) => setting.trial_ids.includes(spec.trial_id))
      .map(({ outcome }) => outcome);
    const mean = (of: (outcome: (typeof own)[number]) => number): number =>
      own.reduce((sum, outcome) => sum + of(outcome), 0) / Math.max(1, own.length);
    return [
      setting.label,
      count(Math.round(mean((outcome) => outcome.num_trainable_parameters))),
      duration(mean((outcome) => outcome.durations_ms.training)),
      duration(mean((outcome) => outcome.durations_ms.total)),
      bytes(Math.max(0, ...own.map((outcome) => outcome.peak_memory_bytes.process))),
    ];
  });
  const total = completed.reduce((sum, { outcome }) => sum + outcome.durations_ms.total, 0);
  const environments = [
    ...new Set(
      completed.map(
        ({ outcome: { environment: e } }) =>
          `${e.platform}; Python ${e.python}, torch ${e.torch}, torchvision ${e.torchvision}, open_clip ${e.open_clip}; ${e.device_name} (${e.device}), ${e.num_threads} threads`,
      ),
    ),
  ];
  return [
    heading(2, "Time, cost and environment"),
    table(["setting", "trained parameters", "training", "whole trial", "peak memory of the process"], rows),
    paragraph(`All trials together: ${duration(total)}.`),
    bullets(environments),
  ];
}

function failures({ trials }: ReportInput): RootContent[] {
  const lines = trials.flatMap(({ spec, outcome }): Inline[] => {
    if (outcome === undefined)
      return [[code(spec.trial_id), ` (${spec.label}, seed ${spec.seed}) has not run yet`]];
    if (outcome.state === "completed") return [];
    return [
      [
        code(spec.trial_id),
        ` (${spec.label}, seed ${spec.seed}) failed: ${outcome.error.code}: ${outcome.error.message}`,
      ],
    ];
  });
  return lines.length === 0 ? [] : [heading(2, "Trials without a result"), bullets(lines)];
}

function reproduce({ command, trials }: ReportInput): RootContent[] {
  const rows = completedTrials(trials).map(({ spec, outcome }) => [
    spec.label,
    String(spec.seed),
    points(outcome.metrics.acc_at_50),
    code(`python -m cliprpn.trial ${spec.trial_id}/spec.json out`),
  ]);
  return [
    heading(2, "Reproduce"),
    codeBlock("sh", command),
    paragraph(
      "repeats the sweep (what is finished is kept). One row alone, from this folder and with cliprpn's Python environment:",
    ),
    table(["setting", "seed", "Acc@0.5 on val, %", "command"], rows),
  ];
}

function definitions(summary: Summary): RootContent[] {
  return [
    heading(2, "What the figures mean"),
    bullets([
      "A hit is IoU >= 0.5 between the best-scoring box, clipped to the picture, and the truth, in pixels of the original picture. Acc@0.5 is the share of hits over sentences.",
      "mIoU is the mean IoU; oIoU the sum of intersections over the sum of unions; Recall@5 the share of sentences with a hit among the five best boxes; pointing the share whose box has its centre inside the truth.",
      "A minimal pair is two sentences on one picture that differ in a word and have different answers; both must be right.",
      `Floors are computed on ${summary.split}: the constant box is fitted on train; the blank sentence is the best setting with its sentence taken away.`,
      "Checkpoints and settings are chosen on val.",
    ]),
  ];
}

function figureOf(
  setting: SettingSummary,
  metric: MetricName,
): SettingSummary["figures"][number] | undefined {
  return setting.figures.find((figure) => figure.metric === metric);
}
