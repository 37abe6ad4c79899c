import type { AnswersOfData, ComparedModel, StoredComparison } from "../contract/generated/types.ts";
import type { TrainingPart } from "../report/report-input.ts";
import { trainingParts } from "../sweep/results/training-parts.ts";
import type { Comparison, Model } from "./comparison.ts";
import { type ConvertedFiles, convertedOf } from "./convert-files.ts";

/** What was compared, for `comparison.json` and the reports. */
export function storedComparison(
  comparison: Comparison,
  files: ConvertedFiles,
  command: string,
): StoredComparison {
  const { name, question, data, models, baseline, smallestDifference, alpha, published } = comparison;
  return {
    schema_version: 1,
    name,
    question,
    command,
    data: data.map(({ name, dataset, split, inPrimary, only }) => ({
      name,
      dataset: { id: dataset.id, name: dataset.name, split_by: dataset.split_by },
      split,
      in_primary: inPrimary,
      only: only?.name ?? null,
    })),
    models: models.map((model) => comparedModel(model, comparison, files)),
    baseline,
    smallest_difference: smallestDifference,
    alpha,
    published,
  };
}

/** What the weights of the models were trained on: declared by protocols, or known of trials. */
export function trainingOf({ models }: Comparison): TrainingPart[] {
  const parts = new Map<string, TrainingPart & { labels: string[] }>();
  for (const part of models.flatMap(partsOf)) {
    const key = JSON.stringify([part.name, part.trained_on, part.source]);
    const known = parts.get(key);
    if (known === undefined) parts.set(key, part);
    else known.labels.push(...part.labels);
  }
  return [...parts.values()];
}

function partsOf(model: Model): (TrainingPart & { labels: string[] })[] {
  const { label } = model;
  if (model.kind === "results") {
    const trained_on = model.protocol?.trained_on ?? null;
    const source = trained_on === null ? "undeclared" : "declared";
    return [{ name: label, labels: [label], trained_on, source }];
  }
  const specs = model.trials.map(({ spec }) => ({ ...spec, label }));
  return trainingParts(specs, model.trainedOn).map((part) => ({ ...part, labels: [label] }));
}

function comparedModel(model: Model, { data }: Comparison, files: ConvertedFiles): ComparedModel {
  const { label, kind } = model;
  if (kind === "trials")
    return {
      label,
      kind,
      repeats: null,
      trial_ids: model.trials.map(({ spec }) => spec.trial_id),
      protocol: null,
      answers: [],
    };
  return {
    label,
    kind,
    repeats: model.repeats,
    trial_ids: [],
    protocol: model.protocol,
    answers: data.flatMap(({ name }): AnswersOfData[] => {
      const converted = convertedOf(files, label, name);
      if (converted.length === 0) return [];
      return [
        {
          data: name,
          reports: converted.map(({ report }) => report),
          keys: converted.map(({ key }) => key),
        },
      ];
    }),
  };
}
