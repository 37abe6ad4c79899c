import type { Command } from "./command.ts";
import { device, json, model, python, runsDir, set, split } from "./shared-options.ts";

/** Everything that a person can type. */
export const commands: Command[] = [
  {
    usage: "sweep <file>",
    describe: "run all trials of an experiment and report; again to go on",
    positionals: { file: { describe: "the experiment file", type: "string" } },
    options: {
      set,
      device,
      python,
      "runs-dir": runsDir,
      workers: { describe: "trials at the same time", type: "number", default: 1 },
      "trial-timeout": { describe: "seconds after which a trial fails", type: "number" },
      "accept-stale": { describe: "keep outcomes that other sources made", type: "boolean", default: false },
      "retry-failed": { describe: "run failed trials again", type: "boolean", default: false },
      "dry-run": { describe: "print the plan and stop", type: "boolean", default: false },
      json: { describe: "print a JSON line for every change of a trial", type: "boolean", default: false },
    },
    examples: [
      ["$0 sweep experiments/fusion.json", "which fusion grounds best?"],
      ["$0 sweep exp.json --set dataset.root=DIR", "the same on your data"],
    ],
    load: async () => (await import("./sweep.ts")).sweep,
  },
  {
    usage: "train <file>",
    describe: "run one trial of an experiment",
    positionals: { file: { describe: "the experiment file", type: "string" } },
    options: {
      set,
      device,
      python,
      "runs-dir": runsDir,
      setting: { describe: "as the report names it (default: the first)", type: "string" },
      seed: { describe: "any seed (default: the file's first)", type: "number", minimum: 0 },
      json,
    },
    examples: [["$0 train exp.json --setting film --seed 1", "one row of the report again"]],
    load: async () => (await import("./sweep.ts")).train,
  },
  {
    usage: "report [sweep]",
    describe: "write the report of a sweep (the newest by default)",
    positionals: { sweep: { describe: "the sweep's folder, or its name below --runs-dir", type: "string" } },
    options: { split, device, python, "runs-dir": runsDir },
    load: async () => (await import("./report.ts")).report,
  },
  {
    usage: "evaluate <model>",
    describe: "measure a trained model on a split; prints its figures",
    positionals: { model: { describe: model, type: "string" } },
    options: {
      split: { ...split, choices: ["train", "val", "test"] },
      dataset: { describe: "another data set: its folder, in RefCOCOg's layout", type: "string" },
      "split-by": {
        describe: "who split that one (default: umd)",
        type: "string",
        choices: ["umd", "google"],
      },
      device,
      python,
      "runs-dir": runsDir,
    },
    load: async () => (await import("./evaluate.ts")).evaluate,
  },
  {
    usage: "ground <image> <sentence>",
    describe: "find in a picture what a sentence means",
    positionals: {
      image: { describe: "a picture", type: "string" },
      sentence: { describe: "what to look for", type: "string" },
    },
    options: {
      model: { describe: model, type: "string" },
      out: { describe: "what to draw: .png, .jpg or .webp", type: "string", default: "grounded.png" },
      device,
      python,
      "runs-dir": runsDir,
    },
    examples: [['$0 ground a.jpg "the cup" --model 3f2a', "prints the box, draws it"]],
    load: async () => (await import("./ground.ts")).ground,
  },
  {
    usage: "init [file]",
    describe: "write a commented experiment file to start from",
    positionals: { file: { describe: "its name", type: "string", default: "experiment.json" } },
    load: async () => (await import("./init.ts")).init,
  },
  {
    usage: "schema",
    describe: "print where the schema of experiment files is",
    options: { print: { describe: "print the schema itself", type: "boolean", default: false } },
    load: async () => (await import("./schema.ts")).schema,
  },
  {
    usage: "import <checkpoint>",
    describe: "convert a checkpoint of the original ClipRPN to safetensors",
    positionals: {
      checkpoint: { describe: "model_attention.pth or model_concatenation.pth", type: "string" },
    },
    options: { out: { describe: "the folder to write", type: "string", default: "imported" }, python },
    load: async () => (await import("./one-off.ts")).importCheckpoint,
  },
  {
    usage: "golden <files..>",
    describe: "hold the modules against the original's recorded figures",
    positionals: { files: { describe: "golden .npz files", type: "array" } },
    options: { python, json },
    load: async () => (await import("./one-off.ts")).golden,
  },
  {
    usage: "setup",
    describe: "set up the Python environment now",
    options: {
      "torch-backend": {
        describe: "torch builds, remembered: cpu, cu128, auto, ... or lock",
        type: "string",
      },
      python,
    },
    load: async () => (await import("./setup.ts")).setup,
  },
  {
    usage: "doctor",
    describe: "what is there, what is missing, how to mend it",
    options: { json, python },
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    usage: "scenes",
    describe: "draw scenes for training cliprpn-tiny",
    hidden: true,
    options: {
      out: { describe: "the folder to write", type: "string", default: "scenes" },
      seed: { describe: "of the drawing", type: "number", default: 20241, minimum: 0 },
      count: { describe: "how many", type: "number", default: 16000 },
    },
    load: async () => (await import("./scenes.ts")).scenes,
  },
];
