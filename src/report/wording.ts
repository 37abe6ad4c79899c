import { counted, joinWords } from "../base/format.ts";
import type { Combined, Repeats, SettingSummary, StoredComparison } from "../contract/generated/types.ts";
import { quoteLabel } from "./names.ts";

/** What words depend on: the kind of a row, and its runs. */
export interface Runs {
  label: string;
  kind: SettingSummary["kind"];
  repeats?: Repeats | null;
  /** Seeds or files. */
  num_runs: number;
}

/** A configuration of a sweep; a model where answers of outside models are compared. */
export type RowNoun = "configuration" | "model";

export function rowNoun(rows: readonly Pick<Runs, "kind">[]): RowNoun {
  return rows.some(({ kind }) => kind === "results") ? "model" : "configuration";
}

export function runsOf({ label, kind, repeats = null, seeds }: SettingSummary): Runs {
  return { label, kind, repeats, num_runs: seeds.length };
}

/** Of figures over several splits, whose comparison knows the repeats. */
export function combinedRuns(
  { settings }: Pick<Combined, "settings">,
  comparison: StoredComparison | undefined,
): Runs[] {
  const repeats = new Map(comparison?.models.map((model) => [model.label, model.repeats]));
  return settings.map(({ label, kind, num_runs }) => ({
    label,
    kind,
    repeats: repeats.get(label) ?? null,
    num_runs,
  }));
}

/** "3 seeds", "3 decoding runs"; undefined for a fixed model, such as an outside one with a single file. */
export function countRuns({ kind, repeats, num_runs }: Runs): string | undefined {
  if (kind === "baseline" || (kind === "results" && num_runs < 2)) return undefined;
  return counted(num_runs, kind === "results" ? runNames[repeats ?? "decoding"] : "seed");
}

const runNames: Record<Repeats, string> = {
  training_seed: "training seed",
  decoding: "decoding run",
  prompt: "prompt",
};

/** "seed", or "run" if some rows have repeats that are no seeds of a sweep. */
export function runNoun(rows: readonly Runs[]): "seed" | "run" {
  return rows.some((row) => row.kind === "results" && countRuns(row) !== undefined) ? "run" : "seed";
}

/** True if some rows have several runs, or could have. */
export function hasRuns(rows: readonly Runs[]): boolean {
  return rows.some((row) => countRuns(row) !== undefined);
}

/** "3 seeds", "2 and 3 seeds", "fixed models", "3 seeds of ours and 1 file of qwen". */
export function describeRuns(rows: readonly Runs[]): string {
  const counts = rows.map((row) => countRuns(row));
  const varied = [...new Set(counts.flatMap((text) => text ?? []))];
  if (varied.length === 0) return "fixed models";
  if (!rows.some(({ kind }) => kind === "results")) return seedsOnly(rows);
  if (varied.length === 1 && !counts.includes(undefined)) return varied[0] ?? "";
  return joinWords(
    rows.map((row, index) => `${counts[index] ?? fixedRun(row.kind)} of ${quoteLabel(row.label)}`),
  );
}

/** A baseline has no seeds, and is not named. */
function seedsOnly(rows: readonly Runs[]): string {
  const nums = [...new Set(rows.filter(({ kind }) => kind === "cliprpn").map((row) => row.num_runs))];
  return nums.length === 1 ? counted(nums[0] ?? 0, "seed") : `${joinWords(nums.map(String))} seeds`;
}

function fixedRun(kind: Runs["kind"]): string {
  return kind === "results" ? "1 file" : "1 run";
}

/** "Model". */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an interval for the procedure holds for: "training again with other seeds", "decoding again". */
export function repeatedSteps(rows: readonly Runs[]): string {
  const varied = rows.filter((row) => countRuns(row) !== undefined && row.num_runs > 1);
  const steps = varied.map(({ repeats }) => stepNames[repeats ?? "training_seed"]);
  return joinWords([...new Set(steps.length === 0 ? [stepNames.training_seed] : steps)], "or");
}

const stepNames: Record<Repeats, string> = {
  training_seed: "training again with other seeds",
  decoding: "decoding again",
  prompt: "asking with other prompts",
};
