import type { Option } from "./command.ts";

/** Options that several commands have, said once. */
export const python: Option = { describe: "an interpreter of your own (or CLIPRPN_PYTHON)", type: "string" };
export const device: Option = { describe: "auto, cpu, cuda, cuda:I or mps", type: "string", default: "auto" };
export const runsDir: Option = { describe: "where sweeps are kept", type: "string", default: "runs" };
export const set: Option = {
  describe: "change a key: --set training.num_epochs=2 (repeatable)",
  type: "array",
};
export const json: Option = { describe: "print JSON", type: "boolean", default: false };
export const split: Option = {
  describe: "part of the data; each look at test is counted",
  type: "string",
  choices: ["val", "test", "testA", "testB"],
  default: "val",
};
export const model = "a trial's folder, the beginning of its id, or a .safetensors file";
export const splitBy: Option = {
  describe: "who split that one",
  type: "string",
  choices: ["umd", "google", "unc", "own"],
};
export const trustWeights: Option = {
  describe: "load detectors' .pt files, which run code when loaded",
  type: "boolean",
  default: false,
};
export const acceptStale: Option = {
  describe: "keep outcomes that other sources made",
  type: "boolean",
  default: false,
};
export const retryFailed: Option = { describe: "run failed trials again", type: "boolean", default: false };
export const dryRun: Option = { describe: "print the plan and stop", type: "boolean", default: false };
