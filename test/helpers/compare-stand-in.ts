import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../src/base/replace-file.ts";
import { readComparisonOptions } from "../../src/compare/comparison-options.ts";
import { resolveComparison } from "../../src/compare/resolve.ts";
import { type MadeComparison, runComparison } from "../../src/compare/run-comparison.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type {
  AnswersReport,
  BridgeMethods,
  Combined,
  CompareDatasetsResult,
  PreparedDataset,
} from "../../src/contract/generated/types.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { preparedFacts } from "./dataset-stats.ts";
import type { RecordingTerminal } from "./recording-terminal.ts";
import { madeOutcome, madeSummary } from "./report-input.ts";
import { contextIn } from "./run-context.ts";

/** Records the calls of a comparison, and answers them without Python: a file's content decides what is found in it. */
export class StandInEngine implements Engine {
  readonly calls: { method: string; params: Record<string, unknown> }[] = [];
  /** Thrown by the next call of this method. */
  failing: string | undefined;

  async call<M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]> {
    this.calls.push({ method, params: { ...params } });
    if (this.failing === method) throw new Error(`killed in ${method}`);
    return answers[method]?.(params as never) as BridgeMethods[M]["result"];
  }

  of(method: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map(({ params }) => params);
  }

  launch(): never {
    throw new Error("a comparison runs no trials");
  }

  async device(): Promise<string> {
    return "cpu";
  }

  async close(): Promise<void> {}
}

const answers: Record<string, (params: never) => unknown> = {
  read_answers({ file, targets }: BridgeMethods["read_answers"]["params"]) {
    const text = readFileSync(file, "utf8");
    if (text.includes("broken"))
      throw new CliprpnError("data_invalid", `${file}:1: expected a box, found ${text.trim()}`);
    const reports = targets.map(({ out_dir, split }) => {
      mkdirSync(out_dir, { recursive: true });
      replaceFile(join(out_dir, `predictions-${split}.parquet`), text);
      return madeAnswers(file, text);
    });
    return { reports };
  },
  summarize({ groups, split }: BridgeMethods["summarize"]["params"]) {
    const settings = groups.map(({ label }, index) => ({ label, acc: [0.8 - 0.2 * index] }));
    return madeSummary(settings, { split });
  },
  compare_datasets({ roots }: BridgeMethods["compare_datasets"]["params"]): CompareDatasetsResult {
    const none = roots.map(() => 0);
    const counts = { num_images: none, num_missing_files: none, num_without_pixels: none };
    return { ...counts, pixels: "files", pairs: [] };
  },
  combine({ endpoints, baseline }: BridgeMethods["combine"]["params"]): Combined {
    const labels = [...new Set(endpoints.flatMap(({ groups }) => groups.map(({ label }) => label)))];
    const interval = { mean: 0.6, low: 0.5, high: 0.7 };
    return {
      schema_version: 1,
      confidence: 0.95,
      smallest_difference: null,
      baseline,
      num_images: 100,
      endpoints: endpoints.map(({ name, dataset, split, in_primary }) => ({
        ...{ name, split, in_primary },
        dataset_name: dataset.name,
        num_sentences: 10,
        num_images: 50,
      })),
      settings: labels.map((label) => ({
        label,
        kind: "results",
        is_upper_bound: false,
        population: "checkpoints",
        num_runs: 1,
        primary: interval,
        per_endpoint: endpoints.map(() => interval),
      })),
      comparisons: [],
      optimism: null,
      selection: "primary",
      verdict: madeSummary([{ label: labels[0] ?? "", acc: [0.6] }]).verdict,
    };
  },
  evaluate({ out_dir, split, spec }: BridgeMethods["evaluate"]["params"]) {
    mkdirSync(out_dir, { recursive: true });
    replaceFile(join(out_dir, `predictions-${split}.parquet`), "predictions");
    const { metrics } = madeOutcome(spec as never);
    return { metrics, predictions_file: join(out_dir, `predictions-${split}.parquet`) };
  },
};

function madeAnswers(file: string, text: string): AnswersReport {
  return {
    file,
    sha256: createHash("sha256").update(text).digest("hex"),
    format: "table",
    coordinates: { box_format: "xyxy_1000", frame: { kind: "original" } },
    num_rows: text.length,
    num_expressions: 4896,
    num_answered: 4888,
    num_missing: 6,
    num_unparsed: 2,
    num_duplicates: 1,
    num_strangers: 3,
    num_by_sent_id: 4888,
    num_by_text: 0,
    num_by_normalized_text: 0,
    num_ground_truth: 0,
    num_other_ground_truth: 0,
    has_scores: false,
    notes: [],
    warnings: [],
    examples: [],
  };
}

/** A folder to work in, with a prepared dataset `mine` of the splits val, testA and testB. */
export function makeData(work: string, changes: Partial<PreparedDataset> = {}): void {
  const folder = join(work, "data", changes.name ?? "mine");
  const pixels = join(folder, "pixels/squash-224");
  mkdirSync(pixels, { recursive: true });
  writeFileSync(join(pixels, "manifest.json"), "{}");
  const splits = (["val", "testA", "testB"] as const).map((split) => ({
    split,
    num_images: 10,
    num_refs: 20,
    num_sentences: 40,
  }));
  writeFacts(folder, { ...preparedFacts, id: "made", name: "mine", split_by: "own", splits, ...changes });
}

export function writeAnswers(work: string, ...names: string[]): void {
  for (const name of names) writeFileSync(join(work, name), `answers of ${name}`);
}

/** How a comparison is run in a test. */
export interface Compared extends Partial<Parameters<typeof readComparisonOptions>[0]> {
  engine?: StandInEngine;
  terminal?: RecordingTerminal;
}

/** `cliprpn compare` with these options. */
export async function compareIn(
  work: string,
  { engine, terminal, ...options }: Compared,
): Promise<MadeComparison> {
  const run = contextIn(work, terminal);
  const request = readComparisonOptions({ ...noOptions, ...options }, work);
  return runComparison(await resolveComparison(request, run), engine ?? new StandInEngine(), run);
}

export const noOptions = {
  data: [],
  results: [],
  repeats: [],
  format: [],
  columns: [],
  coordinates: [],
  forceCoordinates: false,
  protocol: [],
  baseline: undefined,
  smallestDifference: undefined,
  alpha: undefined,
  primary: [],
  only: [],
  name: undefined,
};
