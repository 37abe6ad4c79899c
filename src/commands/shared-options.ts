import type { Option } from "./command.ts";

/** Options that several commands share. */
export const python: Option = { describe: "your own Python interpreter (or CLIPRPN_PYTHON)", type: "string" };
export const device: Option = { describe: "auto, cpu, cuda, cuda:I or mps", type: "string", default: "auto" };
export const runsDir: Option = { describe: "folder of the sweeps", type: "string", default: "runs" };
export const set: Option = {
  describe: "override a key: training.num_epochs=2 (repeatable)",
  type: "array",
};
export const json: Option = { describe: "print JSON", type: "boolean", default: false };
export const split: Option = {
  describe: "dataset split; every look at test is counted",
  type: "string",
  choices: ["val", "test", "testA", "testB"],
  default: "val",
};
export const model = "trial folder, start of a trial id, or .safetensors file";
export const splitBy: Option = {
  describe: "who made the splits of that dataset",
  type: "string",
  choices: ["umd", "google", "unc", "own"],
};
export const trustWeights: Option = {
  describe: "load detector .pt files, which can run code",
  type: "boolean",
  default: false,
};
export const acceptStale: Option = {
  describe: "keep outcomes made by other sources",
  type: "boolean",
  default: false,
};
export const retryFailed: Option = { describe: "run failed trials again", type: "boolean", default: false };
export const dryRun: Option = { describe: "print the plan and stop", type: "boolean", default: false };
