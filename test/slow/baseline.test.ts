/** Baselines from the command line to the report, with real torch, ultralytics and onnxruntime. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { sweepsIn } from "../../src/store/sweeps.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CommandResult, cliprpn } from "../helpers/cli.ts";
import { startCli } from "../helpers/cli-process.ts";
import { markProcesses, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("baseline");
const data = join(folder, "data");

beforeAll(async () => {
  await makeSmallDemo(data);
  writeFileSync(join(folder, "boxes.json"), JSON.stringify(detectionsFromAnnotations()));
});

/** The demo's annotated boxes as detections; the first image of val has none. */
function detectionsFromAnnotations(): object[] {
  const { annotations } = JSON.parse(readFileSync(join(data, "annotations/instances.json"), "utf8"));
  return annotations
    .filter(({ image_id }: { image_id: number }) => image_id !== firstValImageId)
    .map(({ image_id, category_id, bbox }: Record<string, unknown>) => ({
      image_id,
      category_id,
      bbox,
      score: 0.9,
    }));
}

const firstValImageId = 17; // After the 16 images of train.
const env = { CLIPRPN_CACHE: join(folder, "cache") };

function run(...args: string[]): Promise<CommandResult> {
  return cliprpn([...args, "--python", testPython(), "--runs-dir", runsOf(args)], folder, env);
}

/** Each test has a separate runs folder; all share the cache. */
const runsOf = (args: string[]): string => `runs-${args.slice(0, 4).join("-").replace(/\W+/g, "-")}`;
const onData = ["--data", data, "--set", "num_threads=1"];

test.each([
  [["--detector", "whole_image"], "baseline-whole-image"],
  [["--detector", "gt_boxes", "--data", data], "baseline-gt-boxes-data"],
])("the sweep of %j is %s: a sweep has one dataset", async (args, name) => {
  const { code, out, err } = await run("baseline", ...args, "--dry-run");
  expect(code, err).toBe(0);
  expect(out).toMatch(new RegExp(`trials?, ${name}; nothing was started`));
});

test("boxes of a file are ranked and reported; re-running the command runs no trial again", async () => {
  const file = ["baseline", "--detector", "file", "--file", "boxes.json", ...onData];
  const unnamed = await run(...file);
  expect(unnamed.code, "the ids are not COCO's").toBe(2);
  expect(unnamed.err).toContain("--category-ids none");
  const args = [...file, "--category-ids", "none"];
  const first = await run(...args);
  expect(first.code, first.err).toBe(0);
  const report = readFileSync(join(folder, first.out.trim()), "utf8");
  expect(report).toMatch(/^# .*boxes of a file.*CLIP/);
  expect(report).toMatch(/\| boxes of boxes\.json \(classes none\) \| .* \| 1 \|\n/); // One image has no boxes.
  expect(report).toMatch(/upper bound: .*boxes, crop/);
  const again = await run(...args);
  expect(again.err).toMatch(/2 trials, 2 .*done/);
  expect(again.out).toBe(first.out);

  const test = await run(...args, "--split", "test");
  expect(test.code, test.err).toBe(0);
  expect(readFileSync(join(folder, test.out.trim()), "utf8")).toContain("on test");
});

test("an experiment compares fusions with a baseline, and trains its detector once", async () => {
  const experiment = {
    name: "both",
    question: "Is the fusion ahead of the baseline?",
    dataset: { name: "scenes", root: data },
    num_threads: 1,
    settings: { training: { num_epochs: 1 } },
    vary: { fusion: ["film"] },
    also: [
      {
        "baseline.detector": { kind: "trained_yolo", num_epochs: 1, image_size_px: 64 },
        "baseline.ranking": "crop+blur",
      },
    ],
    seeds: [0, 1],
  };
  writeFileSync(join(folder, "both.json"), JSON.stringify(experiment));
  const { code, out, err } = await run("sweep", "both.json", "--workers", "1");
  expect(code, err).toBe(0);
  expect(err).toContain("Training a small YOLO");
  expect(err).toContain("3 trials");
  const report = readFileSync(join(folder, out.trim()), "utf8");
  expect(report).toContain("YOLO trained here (1 epoch, 64 px), crop+blur");
  expect(report).toContain("report/val/boxes.svg");
  const more = await cliprpn(
    [
      "sweep",
      "both.json",
      "--workers",
      "1",
      "--python",
      testPython(),
      "--runs-dir",
      "more",
      "--set",
      "seeds=[0]",
    ],
    folder,
    env,
  );
  expect(more.code, more.err).toBe(0);
  expect(more.err).not.toContain("Training a small YOLO");
});

test("re-running the command resumes a killed baseline", async () => {
  const processes = markProcesses();
  const args = [
    ...["baseline", "--detector", "gt_boxes", "--ranking", "crop", "--ranking", "blur", "--json"],
    ...["--python", testPython(), "--runs-dir", "killed", ...onData],
  ];
  const killed = startCli(args, folder, { ...processes.env, ...env });
  await killed.prints(/"type":"trial".*"state":"completed"[\s\S]*"running"/);
  killed.child.kill("SIGKILL");
  expect(await killed.ended).toBe("SIGKILL");
  await untilNone(processes);
  const { code, err } = await cliprpn(args, folder, env);
  expect(code, err).toBe(0);
  const [sweep] = sweepsIn(join(folder, "killed"));
  const completed = sweep?.journal
    .entries()
    .filter((entry) => entry.type === "trial_finished" && entry.state === "completed");
  expect(completed).toHaveLength(2);
});

test("whole images ranked in two ways are one trial", async () => {
  const args = ["baseline", "--detector", "whole_image", "--ranking", "crop", "--ranking", "blur"];
  const { code, out, err } = await run(...args, "--dry-run", ...onData);
  expect(code, err).toBe(0);
  expect(out.match(/ {2}baseline {2}/g)).toHaveLength(1);
});

test("a baseline trial can be evaluated on other data but is refused by ground", async () => {
  const { out } = await run("baseline", "--detector", "whole_image", ...onData);
  const sweep = new SweepStore(join(folder, out.trim(), "../../.."), basename(dirname(out.trim())));
  const { folder: trial } = new TrialStore(sweep.runsDir, sweep.read().trials[0]?.spec.trial_id ?? "");
  const evaluated = await run("evaluate", trial, "--dataset", data, "--split", "train");
  expect(evaluated.code, evaluated.err).toBe(0);
  expect(JSON.parse(evaluated.out).metrics.num_sentences).toBeGreaterThan(10);
  const image = join(data, "images", readdirSync(join(data, "images"))[0] ?? "");
  const ground = await run("ground", image, "the cup", "--model", trial);
  expect([ground.code, ground.err]).toEqual([2, expect.stringMatching(/expected a trained model.*baseline/)]);
});

test.each<[string, string[], string]>([
  ["no detector", [], "expected --yolo, or --detector with one of yolo,"],
  ["two detectors", ["--yolo", "--detector", "yolox"], "--yolo and --detector yolox"],
  ["missing weights", ["--yolo", "--weights", "yolov5su"], "https://github.com/ultralytics/assets"],
  ["weights of the YOLOv5 repository", ["--yolo", "--weights", "yolov5s"], "yolov5su"],
  ["an untrusted .pt", ["--yolo", "--weights", "w.pt"], "--trust-weights"],
  ["an invalid .onnx", ["--yolo", "--weights", "w.onnx"], "w.onnx"],
  ["a detector without its file", ["--detector", "file"], "file"],
  ["a prior without classes", ["--detector", "whole_image", "--category-prior"], "--category-prior"],
  ["a template without {}", ["--detector", "gt_boxes", "--template", "a photo"], "--template"],
])("%s: reported before any work", async (_, args, expected) => {
  writeFileSync(join(folder, "w.pt"), "not a checkpoint");
  writeFileSync(join(folder, "w.onnx"), "not an ONNX file");
  const { code, out, err } = await run("baseline", ...args, ...onData);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(expected);
  expect(err).not.toMatch(/Traceback|\n\s+at /);
});
