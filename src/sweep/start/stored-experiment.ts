import type { StoredExperiment } from "../../contract/generated/types.ts";
import { schemaVersion } from "../../store/files.ts";
import { storedTarget } from "../evaluation-targets.ts";
import type { ReadPlan } from "../read-plan.ts";

/** What the sweep is asked for, as it is stored. */
export function storedExperiment(
  { experiment, plan, dataset, targets }: ReadPlan,
  source: StoredExperiment["source"],
): StoredExperiment {
  const { name, question, published, keep_models, baseline, smallest_difference, alpha, trained_on } = plan;
  const { id, name: dataset_name, split_by } = dataset;
  const { engine: _, ...asked } = experiment; // Where it runs is no part of what it is.
  return {
    schema_version: schemaVersion,
    name,
    question,
    published,
    source,
    dataset: { id, name: dataset_name, split_by },
    keep_models,
    ...(baseline === undefined ? {} : { baseline }),
    ...(smallest_difference === undefined ? {} : { smallest_difference }),
    alpha,
    ...(trained_on === undefined ? {} : { trained_on }),
    ...(targets.length === 0 ? {} : { evaluate_on: targets.map(storedTarget) }),
    experiment: asked,
  };
}
