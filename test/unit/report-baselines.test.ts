import { expect, test } from "vitest";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { reportBlocks } from "../../src/report/sections.ts";
import { type MadeBaseline, type MadeSetting, madeInput } from "../helpers/report-input.ts";

const film: MadeSetting = { label: "film", acc: [0.6, 0.62] };
const crop = baseline("YOLO n, crop", 0.5, { best_box: 0.8 });
const blur = baseline("YOLO n, blur", 0.4, { best_box: 0.8, ranking: "blur" });
const annotated = baseline("gt boxes, crop", 0.7, { best_box: 1, detector: { kind: "gt_boxes" } });

function baseline(label: string, acc: number, made: MadeBaseline): MadeSetting {
  return { label, acc: [acc], baseline: made };
}

function report(settings: MadeSetting[], changes: Partial<ReportInput> = {}): string {
  const picture = { file: "chart.svg", alt: "chart" };
  const learns = settings.some((setting) => setting.baseline === undefined);
  const pictures = {
    leaderboard: picture,
    boxes: settings.some((setting) => setting.baseline !== undefined) ? picture : undefined,
    strata: picture,
    curves: learns ? picture : undefined,
    cases: [{ title: "Best cases", pictures: [picture] }],
    unreadable: [],
  };
  return render(reportBlocks(madeInput(settings, changes), pictures)).replaceAll("\u00a0", " ");
}

/** Puts sentences into the outcomes of settings. */
function withNotes(settings: MadeSetting[], notes: Record<string, string[]>): Partial<ReportInput> {
  const trials = madeInput(settings).trials.map(({ spec, outcome }) =>
    outcome?.state === "completed"
      ? { spec, outcome: { ...outcome, notes: notes[spec.label] ?? [] } }
      : { spec, outcome },
  );
  return { trials };
}

test("what the boxes lose and what the ranking loses stand apart, beside gt boxes in the same ranking", () => {
  const written = report([film, crop, blur, annotated]);
  expect(written).toContain("## Boxes and ranking");
  expect(written).toContain(
    "With “YOLO n, crop”, 50.0 % of the sentences are found, 30.0 % are lost by the ranking and 20.0 % by the boxes: a better ranking has more to win than better boxes.",
  );
  expect(written).toContain(
    "| YOLO n, crop | 50.0 (48.0 to 52.0) | 30.0 (28.0 to 32.0) | 20.0 (18.0 to 22.0) | 70.0 (68.0 to 72.0) |",
  );
  expect(written).toMatch(/\| YOLO n, blur \|.*\| – \|/); // Its ranking was not tried on gt boxes.
});

test("the larger loss is named only where it is clearly the larger", () => {
  const by = (best_box: number) => report([baseline("YOLO n, crop", 0.5, { best_box })]);
  expect(by(0.6)).toContain("better boxes have more to win than a better ranking.");
  expect(by(0.75)).toContain("neither is clearly the larger loss.");
});

test("boxes that several rankings share are told once", () => {
  const written = report([crop, blur, annotated]);
  expect(written.match(/^\| YOLO n \| 7\.3 \|.*\| 80\.0 \| 12 \|$/gm)).toHaveLength(1);
  expect(written).toContain("| gt boxes | 7.3 |");
});

test("boxes that differ are told apart", () => {
  const few = baseline("YOLO n, crop, 5 boxes", 0.4, { best_box: 0.6, max_boxes: 5 });
  const written = report([crop, blur, few]);
  expect(written).toContain("| YOLO n | 7.3 |");
  expect(written).toContain("| YOLO n, 5 boxes | 7.3 |");
});

test("without baselines nothing is said of them", () => {
  expect(report([film])).not.toMatch(/baseline|ceiling|Boxes and ranking|preparation/i);
});

test("without training nothing is said of it", () => {
  const written = report([crop, blur, annotated]);
  expect(written).not.toMatch(/seed|epoch|checkpoint|Learning curves|trained/i);
  expect(written).toContain("3 of 3 trials complete; 965 sentences");
  expect(written).toMatch(/\| YOLO n, crop \| – \| 14 s \| – \|/);
});

test("beside trained settings a baseline has one value, no seed, and no training", () => {
  const written = report([film, crop]);
  expect(written).toContain("2 seeds (a baseline runs once)");
  expect(written).toMatch(/^\| YOLO n, crop \| 50\.0 .*\| 50\.0 \|$/m);
  expect(written).toContain("| YOLO n, crop | +11.0 (+9.0 to +13.0) | 2 of 2 |");
  expect(written).toContain("Each trained trial's best epoch was chosen on val");
  expect(written).not.toContain("shows nothing of the spread");
  expect(report([{ label: "film", acc: [0.6] }, crop])).toContain("shows nothing of the spread");
});

test("a ceiling stands below the contenders and is compared with none", () => {
  const written = report([film, crop, annotated]);
  expect(written).toContain("| *ceiling: gt boxes, crop* | 70.0 (68.0 to 72.0) |");
  expect(written).not.toMatch(/^\| gt boxes, crop \| [+−]/m);
});

test("a trial's note stands once, with what it is about", () => {
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
  expect(report(settings, withNotes(settings, all))).toContain(`- All settings: ${seen}\n`);
  const baselines = { ...all, film: [] };
  expect(report(settings, withNotes(settings, baselines))).toContain(`- All baselines: ${seen}\n`);
  expect(report([crop], withNotes([crop], all))).toContain(`- ${seen}\n`);
});

test("a baseline's row is made again without a seed", () => {
  const written = report([film, crop]);
  expect(written).toContain("`npx cliprpn train made.json --setting 'YOLO n, crop' --device cpu`");
  expect(written).toContain("`npx cliprpn train made.json --setting film --seed 1 --device cpu`");
});

test("a file that names a .pt is read with --trust-weights", () => {
  const detector = {
    kind: "yolo",
    file: "/weights/n.pt",
    sha256: "0".repeat(64),
    image_size_px: null,
  } as const;
  const trusted = baseline("YOLO n, crop", 0.5, { best_box: 0.8, detector });
  const written = report([film, trusted]);
  expect(written.match(/train made\.json .*--trust-weights/g)).toHaveLength(3);
  expect(report([film, crop])).not.toContain("--trust-weights");
});

test("a sweep that no file describes is made again by its own command", () => {
  const command = "npx cliprpn baseline --yolo";
  const written = report([crop, annotated], { command, source: { file: "", sets: [] } });
  expect(written).toContain(`\`\`\`sh\n${command}\n\`\`\``);
  expect(written).not.toContain("cliprpn train");
});

test("the gallery names whose answers it shows", () => {
  const { summary } = madeInput([film, crop]);
  const box: [number, number, number, number] = [0, 0, 9, 9];
  const shown = {
    sent_id: 1,
    image_file: "/a.png",
    upright: false,
    sentence: "the cup",
    gt_box_xyxy: box,
    predictions: ["film", "YOLO n, crop"].map((label) => ({ label, pred_box_xyxy: box, iou: 1 })),
  };
  const gallery = { best: [shown], worst: [], pairs: [] };
  expect(report([film, crop], { summary: { ...summary, gallery } })).toContain(
    "Answers of film (its first seed) and of “YOLO n, crop”; the truth is dashed.",
  );
});

test("a floor that was not computed is not spoken of", () => {
  const { summary } = madeInput([crop]);
  const floors = summary.floors.filter(({ name }) => name !== "constant_box");
  const written = report([crop], { summary: { ...summary, floors } });
  expect(written).not.toContain("constant box");
  expect(written).toContain("Floors are computed on val: the whole image and the best setting");
});
