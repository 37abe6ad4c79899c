import { extraNames } from "../environment/extras.ts";
import { categoryIds, detectorBoxFormats, detectorKinds } from "../experiment/detectors.ts";
import type { Command } from "./command.ts";
import {
  acceptStale,
  answerReading,
  checkpointMinutes,
  detach,
  device,
  dryRun,
  engine,
  engineOptions,
  failIf,
  json,
  leaseSeconds,
  model,
  open,
  python,
  rayAddress,
  rayPython,
  rerunStale,
  resultsOptions,
  retryClass,
  retryFailed,
  runsDir,
  set,
  slotOptions,
  split,
  splitBy,
  sweep,
  trial,
  trustWeights,
} from "./shared-options.ts";

/** What `sweep` and `retry` have in common. */
const runOptions: Command["options"] = {
  device,
  python,
  "runs-dir": runsDir,
  ...slotOptions,
  "renew-after": {
    describe: "replace a worker process by a new one after this many trials (default: 100)",
    type: "number",
  },
  engine,
  "engine-options": engineOptions,
  detach,
  "ray-address": rayAddress,
  "ray-python": rayPython,
  "lease-seconds": leaseSeconds,
  "checkpoint-minutes": checkpointMinutes,
  "trial-timeout": { describe: "fail a trial after this many seconds", type: "number" },
  "fail-fast": {
    describe: "start no trial after one has failed",
    type: "boolean",
    default: false,
  },
  "max-failures": { describe: "start no trial after this many have failed", type: "number" },
  retries: {
    describe:
      "CLASS=N: run a trial again N times after a failure of this class: worker_lost (default: 2), out_of_memory, loss_not_finite, timed_out, trial (default: 0) (repeatable)",
    type: "array",
  },
  "trust-weights": trustWeights,
  "accept-stale": acceptStale,
  "rerun-stale": rerunStale,
  "fail-if": failIf,
  "dry-run": dryRun,
  open,
  notify: {
    describe:
      "shell command to run at the end of the sweep, however it ends: it gets the result as JSON on stdin and in variables such as CLIPRPN_STATE and CLIPRPN_SWEEP, and has 30 s",
    type: "string",
  },
  json: {
    describe: "print one JSON line each time a trial changes state",
    type: "boolean",
    default: false,
  },
};

/** All commands. */
export const commands: Command[] = [
  {
    usage: "sweep <file>",
    describe: "run all unfinished trials and write the report; re-run to resume",
    positionals: { file: { describe: "the experiment file", type: "string" } },
    options: {
      set,
      ...runOptions,
      "retry-failed": retryFailed,
      "retry-class": retryClass,
    },
    examples: [
      ["$0 sweep experiments/fusion.json", "compare the fusions on the demo"],
      ["$0 sweep exp.json --set name=own --set dataset.root=DIR", "on your own data"],
    ],
    load: async () => (await import("./sweep.ts")).sweep,
  },
  {
    usage: "retry <sweep> [trials..]",
    describe: "run failed trials of a sweep again, without its experiment file, and write the report",
    positionals: {
      sweep: { describe: sweep, type: "string" },
      trials: { describe: "labels, or prefixes of ids, of failed trials (default: all)", type: "array" },
    },
    options: {
      failed: {
        describe: "run all failed trials again; this is the default",
        type: "boolean",
        default: false,
      },
      class: {
        describe:
          "only those that failed with an error of this class: out_of_memory, loss_not_finite, worker_lost, timed_out, or trial for all others (repeatable)",
        type: "array",
      },
      ...runOptions,
    },
    examples: [
      ["$0 retry fusion", "run all failed trials again"],
      ["$0 retry fusion --class out_of_memory --slots-per-device 1", "with more memory for each"],
    ],
    load: async () => (await import("./retry.ts")).retry,
  },
  {
    usage: "preflight <file>",
    describe: "check machine, weights and data before a sweep, and project its time; writes PREFLIGHT.md",
    positionals: { file: { describe: "the experiment file", type: "string" } },
    options: {
      set,
      out: { describe: "output folder (default: preflight/NAME)", type: "string" },
      device,
      python,
      "runs-dir": runsDir,
      workers: {
        describe: "trials that the sweep will run at the same time, as for `sweep`",
        type: "string",
        default: "auto",
      },
      "overfit-minutes": {
        describe: "time limit of the check that a model learns 64 expressions by heart",
        type: "number",
        default: 2,
        minimum: 1,
      },
      "measure-again": {
        describe: "measure again what an earlier preflight has measured on this machine",
        type: "boolean",
        default: false,
      },
      "trust-weights": trustWeights,
      json,
    },
    examples: [["$0 preflight exp.json --device cuda", "what a GPU machine needs for a sweep"]],
    load: async () => (await import("./preflight.ts")).preflight,
  },
  {
    usage: "train <file>",
    describe: "run one trial of an experiment, unless it is finished",
    positionals: { file: { describe: "the experiment file", type: "string" } },
    options: {
      set,
      device,
      python,
      "runs-dir": runsDir,
      setting: { describe: "label of the configuration in the report (default: the first)", type: "string" },
      seed: {
        describe: "random seed (default: the first of the configuration)",
        type: "number",
        minimum: 0,
        maximum: 4294967295,
      },
      "checkpoint-minutes": checkpointMinutes,
      "trust-weights": trustWeights,
      "accept-stale": acceptStale,
      "rerun-stale": rerunStale,
      "retry-failed": retryFailed,
      "retry-class": retryClass,
      json: {
        describe: "print one JSON line each time a trial changes state",
        type: "boolean",
        default: false,
      },
    },
    examples: [["$0 train exp.json --setting film --seed 1", "train one row of the report"]],
    load: async () => (await import("./sweep.ts")).train,
  },
  {
    usage: "baseline",
    describe: "run the detector + CLIP baseline",
    options: {
      yolo: { describe: "use Ultralytics YOLO as the detector (AGPL-3.0)", type: "boolean", default: false },
      detector: {
        describe: "detector, or another source of boxes",
        type: "string",
        choices: detectorKinds,
      },
      weights: { describe: "detector weights: a file, or a name in weights/", type: "string" },
      file: {
        describe:
          "existing boxes, for --detector file: COCO results JSON, another detector's file, or a folder",
        type: "string",
      },
      "box-format": {
        describe: "format of the boxes of --file (default: usual for its layout, checked)",
        type: "string",
        choices: detectorBoxFormats,
      },
      "score-max": {
        describe: "score of a certain detection of --file, e.g. 100 for percent",
        type: "number",
      },
      "category-ids": {
        describe: "classes of the category_id of --file (default: as the annotated objects have it)",
        type: "string",
        choices: categoryIds,
      },
      "class-name": {
        describe: "names of the detector's classes, in its order, if the weights have none (repeatable)",
        type: "array",
      },
      "trained-on": {
        describe: 'dataset that the detector was trained on, e.g. "COCO train2017", or none (repeatable)',
        type: "array",
      },
      model: { describe: `model, for --detector rpn: ${model}`, type: "string" },
      "trust-weights": trustWeights,
      ranking: {
        describe: "view of each box that CLIP encodes (repeatable; default: crop)",
        type: "array",
        choices: ["crop", "blur", "circle", "crop+blur"],
      },
      template: { describe: 'prompt template, e.g. "a photo of {}" (repeatable)', type: "array" },
      "category-prior": {
        describe: "add the similarity between expression and class name to the score",
        type: "boolean",
        default: false,
      },
      data: { describe: "prepared dataset, or a folder (default: demo)", type: "string" },
      "split-by": splitBy,
      split,
      backbone: {
        describe: "CLIP model (default: cliprpn-tiny)",
        type: "string",
        choices: ["cliprpn-tiny", "RN50-quickgelu"],
      },
      "clip-weights": { describe: "CLIP weights: openai, or a file", type: "string" },
      set,
      device,
      python,
      "runs-dir": runsDir,
      "accept-stale": acceptStale,
      "rerun-stale": rerunStale,
      "retry-failed": retryFailed,
      "retry-class": retryClass,
      "dry-run": dryRun,
      json: {
        describe: "print one JSON line each time a trial changes state",
        type: "boolean",
        default: false,
      },
    },
    examples: [
      ["$0 baseline --yolo", "on the demo, with a YOLO trained on it"],
      ["$0 baseline --yolo --weights yolov8n.onnx --data refcocog", "on RefCOCOg"],
    ],
    load: async () => (await import("./baseline.ts")).baseline,
  },
  {
    usage: "report [sweep]",
    describe: "write the report of a sweep (default: the newest)",
    positionals: { sweep: { describe: sweep, type: "string" } },
    options: {
      split,
      ...resultsOptions,
      "fail-if": failIf,
      open,
      json: {
        describe: "with --results: print the result as one line of JSON",
        type: "boolean",
        default: false,
      },
      "trust-weights": trustWeights,
      device,
      python,
      "runs-dir": runsDir,
    },
    examples: [
      ["$0 report fusion --results qwen=qwen.jsonl", "beside the answers of another model"],
      ['$0 report fusion --fail-if "difference.acc_at_50.low < 0"', "fail unless the best is clearly ahead"],
    ],
    load: async () => (await import("./report.ts")).report,
  },
  {
    usage: "compare [sources..]",
    describe: "compare predictions of any models, trials and sweeps on the same data",
    positionals: {
      sources: {
        describe: "a comparison file (.json), or sweeps: names, folders, archives of `export`",
        type: "array",
      },
    },
    options: {
      data: { describe: "prepared dataset, NAME or NAME:SPLIT (default: val) (repeatable)", type: "array" },
      ...resultsOptions,
      baseline: { describe: "model that the others are compared with", type: "string" },
      "smallest-difference": {
        describe: "smallest difference that matters, in percentage points",
        type: "string",
      },
      alpha: { describe: "significance level (default: 0.05)", type: "string" },
      primary: {
        describe: "primary endpoint, NAME:SPLIT (default: all test splits) (repeatable: their mean)",
        type: "array",
      },
      only: {
        describe: "list of reviewed expressions, FILE or NAME:SPLIT=FILE (repeatable)",
        type: "array",
      },
      split: {
        describe: "split to compare sweeps on (default: val)",
        type: "string",
        choices: split.choices ?? [],
      },
      name: { describe: "name of the comparison (default: from the models and data)", type: "string" },
      "fail-if": failIf,
      open,
      json: { describe: "print the result as one line of JSON", type: "boolean", default: false },
      "trust-weights": trustWeights,
      device,
      python,
      "runs-dir": runsDir,
    },
    examples: [
      ["$0 compare --data refcocog:test --results qwen=qwen.jsonl", "a file and trials"],
      ["$0 compare comparison.json", "several splits, as a file describes them"],
      ["$0 compare fusion colleague.zip", "two sweeps, one exported on another machine"],
    ],
    load: async () => (await import("./compare.ts")).compare,
  },
  {
    usage: "list",
    describe: "list sweeps and comparisons: question, progress, best configuration",
    options: { "runs-dir": runsDir, json },
    load: async () => (await import("./list.ts")).list,
  },
  {
    usage: "status [sweep]",
    describe: "show what a sweep is doing: trials that run, time left, failures",
    positionals: { sweep: { describe: `${sweep} (default: the one changed last)`, type: "string" } },
    options: { "runs-dir": runsDir, json },
    load: async () => (await import("./status.ts")).status,
  },
  {
    usage: "stop <sweep> [trial]",
    describe: "stop a running sweep, as Ctrl-C in its terminal does, or end one of its trials",
    positionals: {
      sweep: { describe: sweep, type: "string" },
      trial: { describe: "label or prefix of the id of a trial that runs", type: "string" },
    },
    options: { "runs-dir": runsDir },
    load: async () => (await import("./stop.ts")).stop,
  },
  {
    usage: "worker",
    describe: "run trials of a sweep that another process runs with --engine queue",
    options: {
      join: { describe: `${sweep}, on this machine`, type: "string" },
      device,
      ...slotOptions,
      "idle-minutes": {
        describe: "leave when no trial waited for this time",
        type: "number",
        default: 10,
        minimum: 0,
      },
      "node-cache": {
        describe: "copy features once to this folder on the machine's own disk, for slow shares",
        type: "string",
      },
      replace: {
        describe:
          "FROM=TO: the folder FROM of the machine that runs the sweep is TO on this one, e.g. its cache (repeatable)",
        type: "array",
      },
      "trust-weights": trustWeights,
      python,
      "runs-dir": runsDir,
    },
    examples: [["$0 worker --join /share/runs/sweeps/fusion", "on each machine that sees the folder"]],
    load: async () => (await import("./worker.ts")).worker,
  },
  {
    usage: "logs <trial>",
    describe: "print the log of a trial's newest attempt, or of the attempt whose folder is named",
    positionals: {
      trial: {
        describe: `${trial}; or SWEEP/prepare, for what a sweep makes before its trials`,
        type: "string",
      },
    },
    options: {
      "runs-dir": runsDir,
      follow: {
        describe:
          "also print what is written until the trial ends, in all its attempts, and wait for the first one; Ctrl-C ends it",
        type: "boolean",
        default: false,
        alias: "f",
      },
    },
    load: async () => (await import("./logs.ts")).logs,
  },
  {
    usage: "show <trial>",
    describe: "show a trial: settings, sweeps, attempts, metrics, models",
    positionals: { trial: { describe: trial, type: "string" } },
    options: { "runs-dir": runsDir, json },
    load: async () => (await import("./show.ts")).show,
  },
  {
    usage: "diff <a> <b>",
    describe: "compare two trials: settings, code, environment, metrics",
    positionals: { a: { describe: trial, type: "string" }, b: { describe: trial, type: "string" } },
    options: { "runs-dir": runsDir, json },
    load: async () => (await import("./diff.ts")).diff,
  },
  {
    usage: "gc",
    describe: "free disk space in the runs folder; shows the plan unless --yes",
    options: {
      yes: { describe: "remove what the plan shows", type: "boolean", default: false },
      resumable: {
        describe: "also remove interrupted attempts that the next run of their trial would continue",
        type: "boolean",
        default: false,
      },
      "old-code": {
        describe: "also remove stale results of trials that the current code has completed",
        type: "boolean",
        default: false,
      },
      unasked: {
        describe: "also remove whole trials that no sweep asks for",
        type: "boolean",
        default: false,
      },
      "last-models": {
        describe: "also remove the last epochs' models (the best epochs' are kept)",
        type: "boolean",
        default: false,
      },
      "joint-data": {
        describe:
          "also remove the training sets of train_on, in the cache, that nothing in this runs folder uses",
        type: "boolean",
        default: false,
      },
      "logs-older-than": {
        describe: "remove logs in the cache that are older than this many days",
        type: "number",
        default: 30,
      },
      "runs-dir": runsDir,
      json,
    },
    examples: [["$0 gc --last-models --yes", "keep only the models of the best epochs"]],
    load: async () => (await import("./gc.ts")).gc,
  },
  {
    usage: "evaluate <model>",
    describe: "evaluate a trained model, or all trials of a sweep, and print metrics",
    positionals: { model: { describe: `${model}; with --on also a sweep`, type: "string" } },
    options: {
      on: {
        describe:
          "NAME:SPLIT, e.g. refcoco-unc:testA: evaluate on it what has no answers there yet; for a sweep, its report shows these splits (repeatable)",
        type: "array",
      },
      split: { ...split, choices: ["train", "val", "test", "testA", "testB"] },
      dataset: {
        describe: "prepared dataset, or a folder (default: the model's own dataset)",
        type: "string",
      },
      "split-by": splitBy,
      "trust-weights": trustWeights,
      device,
      python,
      "runs-dir": runsDir,
    },
    load: async () => (await import("./evaluate.ts")).evaluate,
  },
  {
    usage: "ground <image> <sentence>",
    describe: "locate the object that an expression refers to",
    positionals: {
      image: { describe: "image file", type: "string" },
      sentence: { describe: "referring expression", type: "string" },
    },
    options: {
      model: { describe: model, type: "string" },
      out: {
        describe: "output image with the predicted box: .png, .jpg or .webp",
        type: "string",
        default: "grounded.png",
      },
      device,
      python,
      "runs-dir": runsDir,
    },
    examples: [['$0 ground a.jpg "the cup" --model 3f2a', "print the box and draw it on the image"]],
    load: async () => (await import("./ground.ts")).ground,
  },
  {
    usage: "prepare <name>",
    describe: "prepare and verify refcocog, refcoco, refcoco+ or your own dataset",
    positionals: {
      name: { describe: "refcocog, refcoco, refcoco+, or a name for your own dataset", type: "string" },
    },
    options: {
      root: {
        describe: "folder with the annotations and COCO train2014 (folders or .zip)",
        type: "string",
      },
      "split-by": {
        describe: "author of the splits (default: umd for refcocog, unc for the others)",
        type: "string",
        choices: ["umd", "google", "unc"],
      },
      download: { describe: "download missing files into --root", type: "boolean", default: false },
      sources: { describe: "JSON file with download mirrors (default: the built-in list)", type: "string" },
      from: {
        describe: "annotations of your own data: a file or folder, or SPLIT=FILE (repeatable)",
        type: "array",
      },
      images: {
        describe:
          "folder, .zip, .tar or .tar.gz with the images; may be repeated; SPLIT=FOLDER for one split",
        type: "array",
      },
      "without-images": {
        describe: "prepare the annotations only, to inspect or convert them",
        type: "boolean",
        default: false,
      },
      format: {
        describe: "format of --from (default: from the name of the file)",
        type: "string",
        choices: [
          "jsonl",
          "csv",
          "json",
          "parquet",
          "coco",
          "mdetr",
          "transvg",
          "odvg",
          "visual_genome",
          "voc",
          "grefcoco",
          "flickr30k",
          "dcube",
        ],
      },
      "box-format": {
        describe: "box format of --from; required unless --format has its own",
        type: "string",
        choices: ["xywh", "xyxy", "cxcywh_norm", "xywh_norm", "xyxy_norm", "xywh_1000", "xyxy_1000"],
      },
      columns: {
        describe: "column names in --from, e.g. image=file_name,sentence=meta.caption,box=x1+y1+x2+y2",
        type: "string",
      },
      rows: { describe: "key of the list of rows in a JSON file, e.g. data.commands", type: "string" },
      "first-box": {
        describe: "take the first box of an expression with several (default: leave it out)",
        type: "boolean",
        default: false,
      },
      match: {
        describe:
          "keep the rows of a published dataset, with its splits: refcocog, refcoco, refcoco+ or its refs file",
        type: "string",
      },
      instances: {
        describe: "COCO's boxes for gRefCOCO (default: instances.json beside --from)",
        type: "string",
      },
      only: {
        describe: "ids of the expressions to keep: FILE, or SPLIT=FILE for a split (repeatable)",
        type: "array",
      },
      "force-box-format": {
        describe: "read the boxes in --box-format even if another format is more likely",
        type: "boolean",
        default: false,
      },
      "clip-boxes": {
        describe: "clip boxes that extend past their image",
        type: "boolean",
        default: false,
      },
      "allow-invalid": { describe: "leave out invalid rows", type: "boolean", default: false },
      orientation: {
        describe: "frame of the boxes of images with an EXIF rotation (default: the sizes in --from tell)",
        type: "string",
        choices: ["upright", "stored"],
      },
      "split-seed": {
        describe: "random seed of the 80/10/10 split, if --from has no splits",
        type: "number",
        default: 0,
        minimum: 0,
      },
      "image-size": {
        describe: "image size in pixels; sweeps prepare other sizes when they need them",
        type: "number",
        default: 224,
      },
      resize: {
        describe: "squash (as in the original) or letterbox",
        type: "string",
        choices: ["squash", "letterbox"],
        default: "squash",
      },
      "allow-missing": {
        describe: "skip missing and broken images",
        type: "boolean",
        default: false,
      },
      "follow-links": {
        describe: "follow symbolic links that point outside the image folder",
        type: "boolean",
        default: false,
      },
      "max-pixels": { describe: "reject images with more pixels", type: "number" },
      python,
    },
    examples: [
      ["$0 prepare refcocog --root ~/data", "RefCOCOg, already downloaded"],
      ["$0 prepare mine --from a.jsonl --images photos --box-format xyxy", "your own data"],
    ],
    load: async () => (await import("./prepare.ts")).prepare,
  },
  {
    usage: "audit <what>",
    describe: "tell whether a model reads the expression, by changing its words",
    positionals: {
      what: {
        describe:
          "a trial, a sweep or SWEEP:CONFIGURATION; with --answers a name; with --export a dataset, NAME:SPLIT",
        type: "string",
      },
    },
    options: {
      data: {
        describe: "prepared dataset, NAME or NAME:SPLIT (default: the model's own, val)",
        type: "string",
      },
      split: {
        describe: "dataset split (default: val); evaluations on test are counted",
        type: "string",
        choices: split.choices ?? [],
      },
      "sent-id": { describe: "expression to show word by word (repeatable)", type: "array" },
      seed: { describe: "random seed of the order of words", type: "number", default: 0, minimum: 0 },
      export: { describe: "write the changed expressions as questions for an outside model", type: "string" },
      prompt: {
        describe:
          "--export: question with {expression} or {}, and optionally {coordinates} (default: xyxy_1000), {width}, {height}",
        type: "string",
      },
      "image-paths": {
        describe: "--export: absolute (default), or relative to the folder of the images",
        type: "string",
        choices: ["absolute", "relative"],
      },
      answers: {
        describe: "answers of an outside model to exported questions (repeatable: decoding runs)",
        type: "array",
      },
      ...answerReading,
      name: { describe: "name of the audit (default: from the model and the data)", type: "string" },
      json: { describe: "print the result as one line of JSON", type: "boolean", default: false },
      "trust-weights": trustWeights,
      device,
      python,
      "runs-dir": runsDir,
    },
    examples: [
      ["$0 audit fusion", "every configuration of a sweep"],
      ["$0 audit demo:val --export questions.jsonl", "questions for an outside model"],
      ["$0 audit qwen --data demo:val --answers qwen.jsonl", "its answers"],
    ],
    load: async () => (await import("./audit.ts")).audit,
  },
  {
    usage: "dataset <action> <names..>",
    describe: "show, check or export a prepared dataset; check several for shared images",
    positionals: {
      action: { describe: "show, check or export", type: "string" },
      names: {
        describe: "prepared dataset, demo, or a folder; for check also several",
        type: "array",
      },
    },
    options: {
      "split-by": {
        describe: "author of the splits",
        type: "string",
        choices: ["umd", "google", "unc", "own"],
      },
      for: {
        describe: "export: questions for a vision-language model (vlm), without ground truth",
        type: "string",
        choices: ["vlm"],
      },
      split: {
        describe: "export --for vlm: split (default: all)",
        type: "string",
        choices: ["train", "val", "test", "testA", "testB"],
      },
      prompt: {
        describe:
          "export --for vlm: question with {expression} or {}, and optionally {coordinates}, {width}, {height}",
        type: "string",
      },
      coordinates: {
        describe: "export --for vlm: coordinates that the prompt asks for (default: xyxy_1000)",
        type: "string",
      },
      "image-paths": {
        describe: "export --for vlm: absolute (default), or relative to the folder of the images",
        type: "string",
        choices: ["absolute", "relative"],
      },
      only: { describe: "export --for vlm: list of sent_ids, ref_ids or ann_ids to ask", type: "string" },
      format: {
        describe: "export: file format",
        type: "string",
        choices: ["jsonl", "coco"],
        default: "jsonl",
      },
      "box-format": {
        describe: "export: box format",
        type: "string",
        choices: ["xywh", "xyxy", "cxcywh_norm", "xywh_norm", "xyxy_norm", "xywh_1000", "xyxy_1000"],
        default: "xywh",
      },
      out: { describe: "export: output file", type: "string" },
      json,
      python,
    },
    examples: [
      ["$0 dataset export mine --out mine.jsonl", "all expressions with their boxes"],
      ["$0 dataset export mine --for vlm --split test --out questions.jsonl", "questions for a model"],
    ],
    load: async () => (await import("./dataset.ts")).dataset,
  },
  {
    usage: "init [file]",
    describe: "write a commented experiment file to start from",
    positionals: { file: { describe: "file name", type: "string", default: "experiment.json" } },
    load: async () => (await import("./init.ts")).init,
  },
  {
    usage: "schema",
    describe: "print the path of the JSON schema of experiment files",
    options: { print: { describe: "print the schema itself", type: "boolean", default: false } },
    load: async () => (await import("./schema.ts")).schema,
  },
  {
    usage: "export <sweep>",
    describe: "write the results of a sweep, with models if wanted, to an archive",
    positionals: { sweep: { describe: sweep, type: "string" } },
    options: {
      out: { describe: "new archive (default: the name of the sweep, with .zip)", type: "string" },
      models: {
        describe: "models to include: none, of the best epochs, or also of the last ones",
        type: "string",
        choices: ["none", "best", "all"],
        default: "none",
      },
      "runs-dir": runsDir,
      json,
    },
    examples: [["$0 export fusion --models best", "write fusion.zip with the trained models"]],
    load: async () => (await import("./export.ts")).exportSweep,
  },
  {
    usage: "import <file>",
    describe: "add an exported sweep, or convert a checkpoint of the original ClipRPN",
    positionals: {
      file: {
        describe: "archive of `export`, model_attention.pth or model_concatenation.pth",
        type: "string",
      },
    },
    options: {
      name: { describe: "archive: name of the sweep here (default: as exported)", type: "string" },
      trust: {
        describe: "archive: allow its fusions, which are programs, to run",
        type: "boolean",
        default: false,
      },
      out: { describe: "checkpoint: output folder", type: "string", default: "imported" },
      "runs-dir": runsDir,
      json,
      python,
    },
    examples: [["$0 import fusion.zip", "add the sweep and its trials to the runs folder"]],
    load: async () => (await import("./import.ts")).importFile,
  },
  {
    usage: "golden <files..>",
    describe: "compare the modules with recorded outputs of the original",
    positionals: { files: { describe: "golden .npz files", type: "array" } },
    options: { device, python, json },
    load: async () => (await import("./golden.ts")).golden,
  },
  {
    usage: "setup",
    describe: "set up the Python environment",
    options: {
      extra: {
        describe: "also install the packages for onnx, ray or yolo (AGPL-3.0) (repeatable)",
        type: "array",
        choices: extraNames,
      },
      "torch-backend": {
        describe: "torch build for this and later setups: cpu, cu128, auto, ..., or lock",
        type: "string",
      },
      python,
    },
    load: async () => (await import("./setup.ts")).setup,
  },
  {
    usage: "doctor",
    describe: "check the installation, and show how to fix problems",
    options: {
      json,
      python,
      engine: {
        describe:
          "slurm or ray: also check a node, or each of a Ray cluster, and the runs folder that it shares with this machine",
        type: "string",
        choices: ["local", "slurm", "ray"],
        default: "local",
      },
      "engine-options": {
        ...engineOptions,
        describe: "with --engine slurm or ray: file of its options (default: engines/lab.json, if it exists)",
      },
      "ray-address": rayAddress,
      "ray-python": rayPython,
      device,
      folder: {
        describe:
          "with --engine slurm or ray: the shared folder to check, as --runs-dir of a sweep (default: runs)",
        type: "string",
      },
    },
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    usage: "scenes",
    describe: "draw the training scenes of cliprpn-tiny",
    hidden: true,
    options: {
      out: { describe: "output folder", type: "string", default: "scenes" },
      seed: { describe: "random seed", type: "number", default: 20241, minimum: 0 },
      count: { describe: "number of scenes", type: "number", default: 16000 },
    },
    load: async () => (await import("./scenes.ts")).scenes,
  },
];
