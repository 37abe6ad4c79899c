import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, hostname } from "node:os";
import { join } from "node:path";
import { namesIn } from "../../base/files.ts";
import { groupBy } from "../../base/group-by.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { check } from "../../contract/check.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  StoredMeasurement,
  TrialSpec,
} from "../../contract/generated/types.ts";
import { parseJson, toJson } from "../../store/files.ts";
import type { EvaluationTarget } from "../predict-on.ts";
import { costKeysOf } from "./cost-keys.ts";
import { kindOf } from "./device.ts";

/** What measurements on this machine depend on, besides the trial. */
export interface MeasuredOn {
  cacheDir: string;
  device: string;
  /** Trials that the sweep runs at the same time. */
  numSlots: number;
  targets: readonly EvaluationTarget[];
  /** True for other machines than this one, on which nothing was measured. */
  isElsewhere?: boolean;
}

/** Trials that run at the same time on this machine; undefined if they run on others. */
export function numSlotsHere({ numSlots, isElsewhere = false }: MeasuredOn): number | undefined {
  return isElsewhere ? undefined : numSlots;
}

/** Workers that are timed at the same time, at most: enough to see how much they slow each other down. */
export const maxTimed = 4;

/** The key of what `preflight` measures for a configuration; those with the same key are timed once. */
export function measurementKey(
  spec: ClipRpnSpec | BaselineSpec,
  on: MeasuredOn,
  keys = costKeysOf(spec),
): string {
  const { limits } = spec.kind === "cliprpn" ? spec.settings : spec;
  return keyOf([spec.kind, keys.same_trials, limits.test], spec, on);
}

/** The same for the figures of a report. @param trials of the sweep. */
export function reportKey([first]: readonly TrialSpec[], numSeeds: number, on: MeasuredOn): string {
  if (first === undefined) throw new Error("a sweep has at least one trial");
  const { val, test } = first.kind === "cliprpn" ? first.settings.limits : first.limits;
  return keyOf(["report", val, test, numSeeds], first, on);
}

/** Seeds of the configuration that has most. */
export function mostSeeds(trials: readonly TrialSpec[]): number {
  const sizes = [...groupBy(trials, ({ label }) => label).values()].map(({ length }) => length);
  return sizes.reduce((most, size) => Math.max(most, size), 1);
}

/** Read once: the processors take a millisecond. */
let machine: unknown[] | undefined;

function keyOf(
  parts: unknown[],
  spec: TrialSpec,
  { device, numSlots, targets, isElsewhere = false }: MeasuredOn,
): string {
  machine ??= [hostname(), cpus()[0]?.model, availableParallelism()];
  const { sources_sha256, dataset, backbone } = spec;
  const data = targets.map((target) => `${target.dataset.id}:${target.split}`);
  const numTimed = Math.max(1, Math.min(numSlots, maxTimed));
  const all = [
    ...parts,
    isElsewhere ? "elsewhere" : machine,
    kindOf(device),
    sources_sha256,
    dataset.id,
    backbone.weights_id,
    data,
    numTimed,
  ];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 24);
}

/** False if no preflight has measured anything here: then no key needs to be made. */
export function hasMeasurements(cacheDir: string): boolean {
  return namesIn(join(cacheDir, "measurements")).length > 0;
}

/** A measurement of an earlier preflight; undefined if there is none, or another version wrote it. */
export function readMeasurement(cacheDir: string, key: string): StoredMeasurement | undefined {
  const file = fileOf(cacheDir, key);
  if (!existsSync(file)) return undefined;
  try {
    return check("StoredMeasurement", parseJson(readFileSync(file, "utf8")), file);
  } catch {
    return undefined; // It can be measured again.
  }
}

export function writeMeasurement(cacheDir: string, key: string, measurement: StoredMeasurement): void {
  mkdirSync(join(cacheDir, "measurements"), { recursive: true });
  replaceFile(fileOf(cacheDir, key), toJson(measurement));
}

function fileOf(cacheDir: string, key: string): string {
  return join(cacheDir, "measurements", `${key}.json`);
}
