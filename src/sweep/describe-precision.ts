import { counted, joinWords } from "../base/format.ts";
import { groupBy } from "../base/group-by.ts";
import type { TrialSpec } from "../contract/generated/types.ts";

/** What the trials that train compute with, in a sentence; undefined if all use the usual one of the device. */
export function describePrecision(trials: readonly TrialSpec[], device: string): string | undefined {
  const trained = trials.flatMap((spec) =>
    spec.kind === "cliprpn" ? [spec.settings.training.precision] : [],
  );
  if (trained.every((precision) => precision === "auto")) return undefined;
  const groups = groupBy(
    trained.map((precision) => onDevice(precision, device)),
    (precision) => precision,
  );
  if ([...groups.keys()].every((precision) => precision === "fp32")) return undefined;
  const parts = [...groups].map(([precision, { length }]) => `${precision} in ${counted(length, "trial")}`);
  return `Precision of training: ${joinWords(parts)}.`;
}

function onDevice(precision: string, device: string): string {
  if (precision !== "auto") return precision;
  if (device === "auto") return "bf16 on CUDA and fp32 on other devices (training.precision auto)";
  return device.startsWith("cuda") ? "bf16" : "fp32";
}
