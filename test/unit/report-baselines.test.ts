import { expect, test } from "vitest";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { allBlocks } from "../helpers/report-blocks.ts";
import { type MadeBaseline, type MadeSetting, madeInput } from "../helpers/report-input.ts";

const film: MadeSetting = { label: "film", acc: [0.6, 0.62] };
const crop = baseline("YOLO n, crop", 0.5, { best_box: 0.8 });
const blur = baseline("YOLO n, blur", 0.4, { best_box: 0.8, ranking: "blur" });
const annotated = baseline("gt boxes, crop", 0.7, { best_box: 1, detector: { kind: "gt_boxes" } });

function baseline(label: string, acc: number, made: MadeBaseline): MadeSetting {
  return { label, acc: [acc], baseline: made };
}

function report(settings: MadeSetting[], changes: Partial<ReportInput> = {}): string {
  const image = { file: "chart.svg", alt: "chart" };
  const charts = {
    leaderboard: image,
    boxes: settings.some((setting) => setting.baseline !== undefined) ? image : undefined,
    subsets: image,
    curves: settings.some((setting) => setting.baseline === undefined) ? image : undefined,
  };
  const gallery = { groups: [{ title: "Wins", text: "4 of 965", images: [image] }], unreadable: [] };
  return render(
    allBlocks(madeInput(settings, changes), charts, gallery, { images: [], unreadable: [] }),
  ).replaceAll("\u00a0", " ");
}

/** Input whose outcomes have these notes, by label. */
function withNotes(settings: MadeSetting[], notes: Record<string, string[]>): Partial<ReportInput> {
  const trials = madeInput(settings).trials.map(({ outcome, ...trial }) => ({
    ...trial,
    outcome: outcome?.state === "completed" ? { ...outcome, notes: notes[trial.spec.label] ?? [] } : outcome,
  }));
  return { trials };
}

test("detection and ranking errors are separate columns, next to the same ranking of gt boxes", () => {
  const written = report([film, crop, blur, annotated]);
  expect(written).toMatch(
    /With “YOLO n, crop”, 50\.0 % .* correct, 30\.0 % .* ranking errors .* 20\.0 % detection errors: the ranking has more room/,
  );
  expect(written).toContain(
    "| YOLO n, crop | 50.0 (48.0 to 52.0) | 30.0 (28.0 to 32.0) | 20.0 (18.0 to 22.0) | 70.0 (68.0 to 72.0) |",
  );
  expect(written).toMatch(/\| YOLO n, blur \|.*\| – \|/); // No gt boxes with this ranking.
});

test("the more frequent error is named only if it is clearly more frequent", () => {
  const withBestBox = (best_box: number) => report([baseline("YOLO n, crop", 0.5, { best_box })]);
  expect(withBestBox(0.6)).toMatch(/the boxes have more .* than the ranking\./);
  expect(withBestBox(0.75)).toMatch(/: neither [^:]* clearly/);
});

test("boxes that several rankings share have one row", () => {
  const written = report([crop, blur, annotated]);
  expect(written.match(/^\| YOLO n \| 7\.3 \|.*\| 80\.0 \| 12 \|$/gm)).toHaveLength(1);
  expect(written).toContain("| gt boxes | 7.3 |");
});

test("different boxes have different rows", () => {
  const few = baseline("YOLO n, crop, 5 boxes", 0.4, { best_box: 0.6, max_boxes: 5 });
  const written = report([crop, blur, few]);
  expect(written).toContain("| YOLO n | 7.3 |");
  expect(written).toContain("| YOLO n, 5 boxes | 7.3 |");
});

test("without baselines the report does not mention CLIP's ranking", () => {
  expect(report([film])).not.toMatch(/a baseline|detector|upper bound|ranking error|preparation/i);
  expect(report([film, crop, annotated])).toMatch(/a baseline.*detector.*upper bound/is);
});

test("without training the report does not mention it", () => {
  const written = report([crop, blur, annotated]);
  expect(written).not.toMatch(/seed|epoch|checkpoint|Learning curves|trained/i);
  expect(written).toMatch(/3 of 3 trials .*965 referring expressions/);
  expect(written).toMatch(/\| YOLO n, crop \| – \| 14 s \| – \|/);
});

test("next to trained configurations, a baseline has one value, no seed and no training", () => {
  const written = report([film, crop]);
  expect(written).toMatch(/2 seeds .*baseline/);
  expect(written).toMatch(/^\| YOLO n, crop \|.* 50\.0 \(48\.0 to 52\.0\) \| checkpoints \|.*\| 50\.0 \|$/m);
  expect(written).toContain("| YOLO n, crop | −11.0 (−13.0 to −9.0) | < 0.001 |");
  expect(written).toMatch(/best epoch of each trained trial was selected on val/);
  expect(written).not.toMatch(/nothing is known about training again/);
  expect(report([{ label: "film", acc: [0.6] }, crop])).toMatch(/nothing is known about training again/);
});

test("an upper bound is in the leaderboard but not compared with the best", () => {
  const written = report([film, crop, annotated]);
  expect(written).toContain("| *upper bound: gt boxes, crop* | – | 70.0 (68.0 to 72.0) |");
  expect(written).not.toMatch(/^\| gt boxes, crop \| [+−]/m);
});

test("a note of several trials is written once, with their configurations", () => {
  const settings = [film, crop, blur, annotated];
  const empty = "2 images of val had no detection.";
  const seen = "The detector has seen these images.";
  const notes = { "YOLO n, crop": [empty, seen], "YOLO n, blur": [empty], film: ["Half the words."] };
  const written = report(settings, withNotes(settings, notes));
  expect(written).toContain(`- YOLO n: ${empty}\n`);
  expect(written).toContain(`- “YOLO n, crop”: ${seen}\n`);
  expect(written).toContain("- film: Half the words.\n");
  expect(written.match(/had no detection/g)).toHaveLength(1);
  const all = Object.fromEntries(settings.map(({ label }) => [label, [seen]]));
  expect(report(settings, withNotes(settings, all))).toContain(`- All configurations: ${seen}\n`);
  const baselines = { ...all, film: [] };
  expect(report(settings, withNotes(settings, baselines))).toContain(`- All baselines: ${seen}\n`);
  expect(report([crop], withNotes([crop], all))).toContain(`- ${seen}\n`);
});

test("the command of a baseline has no seed", () => {
  const written = report([film, crop]);
  expect(written).toContain("`npx cliprpn train made.json --setting 'YOLO n, crop' --device cpu`");
  expect(written).toContain("`npx cliprpn train made.json --setting film --seed 0 --device cpu` | 0, 1 |");
});

test("commands have --trust-weights if the experiment names a .pt file", () => {
  const detector = {
    kind: "yolo",
    file: "/weights/n.pt",
    sha256: "0".repeat(64),
    image_size_px: null,
    classes: null,
  } as const;
  const trusted = baseline("YOLO n, crop", 0.5, { best_box: 0.8, detector });
  const written = report([film, trusted]);
  expect(written.match(/train made\.json .*--trust-weights/g)).toHaveLength(2);
  expect(report([film, crop])).not.toContain("--trust-weights");
});

test("a sweep without an experiment file is reproduced by its own command", () => {
  const command = "npx cliprpn baseline --yolo";
  const written = report([crop, annotated], { command, source: { file: "", sets: [] } });
  expect(written).toContain(`\`\`\`sh\n${command}\n\`\`\``);
  expect(written).not.toContain("cliprpn train");
});

test("the gallery names the configurations of its predictions", () => {
  const { summary } = madeInput([film, crop]);
  expect(report([film, crop], { summary })).toMatch(
    /A is film \(seed 0, .*B is “YOLO n, crop” \(double line\), the nearest rival.* ground truth/,
  );
  const other = { ...summary, baseline: "YOLO n, crop" };
  expect(report([film, crop], { summary: other })).toContain("(double line), the baseline;");
});

test("a baseline without the expression that was not computed is not mentioned", () => {
  const { summary } = madeInput([crop]);
  const floors = summary.floors.filter(({ name }) => name !== "constant_box");
  const written = report([crop], { summary: { ...summary, floors } });
  expect(written).not.toContain("constant box");
  expect(written).toMatch(/on val.* whole image, the image-only baseline.* and same-category chance/);
});
