import type { Option } from "./command.ts";

/** Options that several commands share. */
export const python: Option = {
  describe: "use your own Python interpreter (or set CLIPRPN_PYTHON)",
  type: "string",
};
export const device: Option = {
  describe: "device to run on: auto, cpu, cuda, cuda:I or mps",
  type: "string",
  default: "auto",
};
export const runsDir: Option = { describe: "folder for trials and sweeps", type: "string", default: "runs" };
export const set: Option = {
  describe: "override a key, e.g. training.num_epochs=2 (repeatable)",
  type: "array",
};
export const json: Option = { describe: "print JSON", type: "boolean", default: false };
export const split: Option = {
  describe: "dataset split; evaluations on test are counted",
  type: "string",
  choices: ["val", "test", "testA", "testB"],
  default: "val",
};
export const model = "trial folder, prefix of a trial id, or .safetensors file";
export const sweep = "folder of the sweep, or its name in --runs-dir";
export const trial = "prefix of a trial id, or the folder of a trial or of an attempt";
export const splitBy: Option = {
  describe: "author of the dataset's splits",
  type: "string",
  choices: ["umd", "google", "unc", "own"],
};
export const trustWeights: Option = {
  describe: "allow detector .pt files, which can execute code when loaded",
  type: "boolean",
  default: false,
};
export const acceptStale: Option = {
  describe: "keep stale trials (made by other code), and mark them in the report",
  type: "boolean",
  default: false,
};
export const rerunStale: Option = {
  describe: "run stale trials (made by other code) again; the old models are kept",
  type: "boolean",
  default: false,
};
export const engine: Option = {
  describe:
    "where trials run: on this machine (local), on workers that join with `cliprpn worker --join` (queue), on jobs of a SLURM cluster (slurm), or on a Ray cluster (ray)",
  type: "string",
  choices: ["local", "queue", "slurm", "ray"],
  default: "local",
};
export const engineOptions: Option = {
  describe:
    "with --engine slurm, ray or queue: file of its options; those of the experiment come before them (default: engines/lab.json, if it exists)",
  type: "string",
};
export const detach: Option = {
  describe:
    "with --engine slurm: leave all trials with the jobs and end; without it, the same command follows them and writes the report",
  type: "boolean",
  default: false,
};
export const rayAddress: Option = {
  describe:
    "with --engine ray: HOST:PORT of the cluster's head, of which this machine is a node (default: RAY_ADDRESS, or the cluster that runs here)",
  type: "string",
};
export const rayPython: Option = {
  describe:
    "with --engine ray: a Python interpreter with the cluster's versions of Ray and Python (default: the environment's, with the extra ray)",
  type: "string",
};
export const leaseSeconds: Option = {
  describe:
    "with --engine queue, slurm or ray: a worker without a sign of life for this time is lost, and its trial runs again (default: 60; NFS shows changes up to a minute later)",
  type: "number",
  minimum: 2,
};
export const checkpointMinutes: Option = {
  describe:
    "time between checkpoints within an epoch, from which an interrupted trial continues (default: 10; 0: only at the end of epochs)",
  type: "number",
  minimum: 0,
};
export const retryFailed: Option = { describe: "run failed trials again", type: "boolean", default: false };
export const retryClass: Option = {
  describe:
    "run trials again that failed with an error of this class: out_of_memory, loss_not_finite, worker_lost, timed_out, or trial for all others (repeatable)",
  type: "array",
};
export const dryRun: Option = { describe: "print the plan and stop", type: "boolean", default: false };
export const open: Option = { describe: "open REPORT.html in the browser", type: "boolean", default: false };
export const failIf: Option = {
  describe:
    'exit with code 5 if this holds in the report, e.g. "difference.acc_at_50.low < 0": paths, numbers, quoted texts, and, or, not; accuracies in percent, differences in points; it is about the split of the report, with `primary.` before its names about the primary endpoint over several splits (repeatable)',
  type: "array",
};
/** What the boxes in files of answers mean, and where they are. */
export const answerReading: Record<string, Option> = {
  format: {
    describe:
      "[NAME=]FORMAT of files (default: from the content): table, coco, mdetr, transvg, lmms_eval, vlmevalkit, internvl, qwen, vlm_r1 (repeatable)",
    type: "array",
  },
  columns: {
    describe: "[NAME=]FIELD=COLUMN,...: names of columns, e.g. image=file_name,score=prob (repeatable)",
    type: "array",
  },
  coordinates: {
    describe:
      "[NAME=]COORDINATES of boxes: xyxy, xywh, cxcywh, each also with _norm (0 to 1) or _1000; pixels of a resized image: xyxy@640x480, xyxy@long:1024, xyxy@short:800:1333, xyxy@smart:28:3136:12845056, xyxy@columns (repeatable)",
    type: "array",
  },
  "force-coordinates": {
    describe: "read boxes in --coordinates even if another reading fits better",
    type: "boolean",
    default: false,
  },
};

/** Files of answers of outside models. */
export const resultsOptions: Record<string, Option> = {
  results: {
    describe:
      "answers of a model, NAME=FILE; the same name again for repeats; NAME@DATA:SPLIT=FILE for one split; also trials and sweeps: NAME=trial:ID, NAME=sweep:SWEEP[:CONFIGURATION] (repeatable)",
    type: "array",
  },
  repeats: {
    describe: "what differs between files of one name: [NAME=]training_seed, decoding or prompt (repeatable)",
    type: "array",
  },
  ...answerReading,
  protocol: {
    describe: "NAME=FILE: how a model was asked, as JSON (prompt, decoding, trained_on, ...) (repeatable)",
    type: "array",
  },
};

/** Where and how many trials run at the same time. */
export const slotOptions: Record<string, Option> = {
  devices: {
    describe: "devices for trials, such as cuda:0,cuda:1 (default: --device; all visible GPUs)",
    type: "string",
  },
  workers: {
    describe: "trials to run at the same time (auto: one per num_threads CPU cores; one on each GPU)",
    type: "string",
    default: "auto",
  },
  "slots-per-device": { describe: "trials to run at the same time on each device", type: "number" },
};
