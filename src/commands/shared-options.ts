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
export const retryFailed: Option = { describe: "run failed trials again", type: "boolean", default: false };
export const dryRun: Option = { describe: "print the plan and stop", type: "boolean", default: false };
export const open: Option = { describe: "open REPORT.html in the browser", type: "boolean", default: false };
export const failIf: Option = {
  describe:
    'exit with code 5 if this holds in the report, e.g. "difference.acc_at_50.low < 0": paths, numbers, quoted texts, and, or, not; accuracies in percent, differences in points (repeatable)',
  type: "array",
};
