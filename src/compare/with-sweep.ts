import type { Split } from "../contract/generated/types.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import { defaultAlpha } from "../experiment/presets.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { checkComparable, datasetOfSweep } from "./comparable.ts";
import type { ComparedSplit, Comparison } from "./comparison.ts";
import { type ComparisonRequest, collector } from "./request.ts";
import { checkLabels, resolveModels } from "./resolve-models.ts";
import { modelsOfSweep } from "./resolve-trials.ts";

/**
 * All configurations of a sweep beside other models, on its data, by its rules. The comparison has the sweep's name.
 *
 * @throws CliprpnError bad_input with all problems.
 */
export async function withSweep(
  store: SweepStore,
  split: Split,
  request: ComparisonRequest,
  run: RunContext,
): Promise<Comparison> {
  const ofSweep = modelsOfSweep(store);
  const sweeps = [{ text: store.name, name: store.name, store, models: ofSweep }];
  checkComparable(sweeps, split, run);
  const dataset = await datasetOfSweep(sweeps, run);
  const name = `${dataset.name}:${split}`;
  const data: ComparedSplit = { name, dataset, split, inPrimary: true, only: null };
  const { problems, report } = collector([...request.problems]);
  const models = [...ofSweep, ...resolveModels(request, new Map([[name, data]]), run, report)];
  checkLabels(models, request, report);
  if (problems.length > 0) throw invalidError("cliprpn report", problems);
  const { question, baseline, smallest_difference, alpha } = store.read().experiment;
  return {
    name: store.name,
    question,
    origin: "cliprpn report",
    data: [data],
    models,
    baseline: baseline ?? null,
    smallestDifference: smallest_difference ?? null,
    alpha: alpha ?? defaultAlpha,
    published: [],
  };
}
