import type { Option } from "./command.ts";

/** Options that several commands have, said once. */
export const python: Option = { describe: "an interpreter of your own (or CLIPRPN_PYTHON)", type: "string" };
export const device: Option = { describe: "auto, cpu, cuda, cuda:I or mps", type: "string", default: "auto" };
export const runsDir: Option = { describe: "where sweeps are kept", type: "string", default: "runs" };
export const set: Option = {
  describe: "change a key of the file: --set training.num_epochs=2 (may be repeated)",
  type: "array",
};
export const json: Option = { describe: "print JSON", type: "boolean", default: false };
export const split: Option = {
  describe: "which part of the data",
  type: "string",
  choices: ["val", "test"],
  default: "val",
};
