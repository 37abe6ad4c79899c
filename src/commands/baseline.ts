import { slug } from "../base/format.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type {
  BaselineSettings,
  DatasetChoice,
  DetectorChoice,
  DetectorObject,
  Experiment,
} from "../contract/generated/types.ts";
import { type DetectorKind, detectorKinds, detectors } from "../experiment/detectors.ts";
import type { Path } from "../experiment/problem.ts";
import { readCommandExperiment } from "../experiment/read-experiment.ts";
import { namedDataset } from "../sweep/datasets.ts";
import { dryRun } from "../sweep/dry-run/dry-run.ts";
import { planOf, readOptions } from "../sweep/read-plan.ts";
import { runSweep } from "../sweep/run-sweep.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit, chosenSplitBy } from "./dataset-choice.ts";

/** `cliprpn baseline --yolo`: CLIP ranks the boxes of a detector and, as the upper bound, the ground truth boxes. */
export async function baseline(args: Arguments, context: Context): Promise<number> {
  const sets = args.list("set");
  const run = runContext(args, context);
  const read = readCommandExperiment(
    buildExperiment(args, context),
    { name: "cliprpn baseline", where: flagForPath },
    sets,
    context.cwd,
    readOptions(run),
  );
  const request = await planOf(read, run);
  if (args.flag("dry-run")) {
    await dryRun(request, run, "`cliprpn preflight` with an experiment file of these baselines");
    return EXIT.good;
  }
  return runSweep({ ...request, source: { file: "", sets }, split: chosenSplit(args) }, run);
}

/** The flag that set the value at a path of the experiment. */
function flagForPath(path: Path): string {
  if (path[0] === "dataset") return "--data";
  if (path[0] === "backbone") return path.includes("weights") ? "--clip-weights" : "--backbone";
  if (path.includes("templates")) return "--template";
  if (path.includes("category_prior")) return "--category-prior";
  if (path.includes("classes")) return "--class-name";
  if (path.includes("trained_on")) return "--trained-on";
  const flag = detectorFlags.find((name) => path.includes(keyOf(name)));
  return flag === undefined ? "the detector" : `--${flag}`;
}

/** The command line as the content of an experiment file. */
function buildExperiment(args: Arguments, context: Context): Experiment {
  const detector = readDetector(args);
  const [first = "crop", ...more] = args.list("ranking") as Ranking[]; // Checked by yargs.
  const templates = args.list("template");
  const dataset = namedDataset(args.text("data") ?? "demo", chosenSplitBy(args), context);
  return {
    name: sweepName(detector.kind, dataset),
    question: `How well do ${detectors[detector.kind].noun} and CLIP ground sentences?`,
    dataset,
    ...readBackbone(args),
    settings: {
      baseline: {
        category_prior: args.flag("category-prior"),
        ...(templates.length > 0 ? { templates: templates as [string, ...string[]] } : {}),
      },
    },
    vary: {
      "baseline.detector": [detector, ...upperBounds(detector.kind)],
      "baseline.ranking": [first, ...more],
    },
  };
}

/** A sweep has one dataset, so the name contains it: `baseline-yolo` for the demo, `baseline-yolo-refcocog-google`. */
function sweepName(kind: DetectorKind, { name, split_by }: DatasetChoice): string {
  return slug(["baseline", kind, name, split_by].join("-"));
}

type Ranking = BaselineSettings["ranking"];

/** Flags that set a key of the detector. */
const detectorFlags = ["weights", "file", "model", "box-format", "score-max", "category-ids"];

function upperBounds(kind: DetectorKind): DetectorChoice[] {
  return kind === "gt_boxes" || kind === "whole_image" ? [] : ["gt_boxes"];
}

/** @throws CliprpnError bad_input. */
function readDetector(args: Arguments): DetectorObject {
  const requested = detectorKinds.find((kind) => kind === args.text("detector"));
  if (args.flag("yolo") && requested !== undefined && requested !== "yolo")
    throw new CliprpnError(
      "bad_input",
      `expected one detector, found two: --yolo and --detector ${requested}; remove one of them`,
    );
  const kind = args.flag("yolo") ? "yolo" : requested;
  if (kind === undefined)
    throw new CliprpnError(
      "bad_input",
      `expected --yolo, or --detector with one of ${detectorKinds.join(", ")}; found neither`,
    );
  const entries = detectorFlags.flatMap((name) => {
    const value = name === "score-max" ? args.number(name) : args.text(name);
    return value === undefined ? [] : [[keyOf(name), value]];
  });
  const classes = args.list("class-name");
  const trained_on = args.list("trained-on");
  return {
    kind,
    ...Object.fromEntries(entries),
    ...(isFilled(classes) ? { classes } : {}),
    ...(isFilled(trained_on) ? { trained_on } : {}),
  };
}

function isFilled(names: string[]): names is [string, ...string[]] {
  return names.length > 0;
}

function keyOf(flag: string): string {
  return flag.replaceAll("-", "_");
}

function readBackbone(args: Arguments): Pick<Experiment, "backbone"> {
  const name = (["cliprpn-tiny", "RN50-quickgelu"] as const).find(
    (choice) => choice === args.text("backbone"),
  );
  const weights = args.text("clip-weights");
  if (name === undefined && weights === undefined) return {};
  return {
    backbone: { ...(name === undefined ? {} : { name }), ...(weights === undefined ? {} : { weights }) },
  };
}
