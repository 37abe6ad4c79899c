import { didYouMean } from "../base/did-you-mean.ts";
import { digest } from "../contract/canonical-json.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import { defaultAlpha } from "../experiment/presets.ts";
import { nameLabels } from "../report/names.ts";
import { isSweepName } from "../store/archive/layout.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison, Model } from "./comparison.ts";
import { type ComparisonRequest, collector, type Report } from "./request.ts";
import { resolveData, splitNamed, unknownData } from "./resolve-data.ts";
import { checkLabels, resolveModels } from "./resolve-models.ts";

/**
 * Finds all that a comparison names.
 *
 * @throws CliprpnError bad_input with all problems: missing files, unknown splits and configurations, names used twice.
 */
export async function resolveComparison(request: ComparisonRequest, run: RunContext): Promise<Comparison> {
  const { problems, report } = collector([...request.problems]);
  const data = await resolveData(request, run, report);
  const { baseline, published } = request;
  if (request.models.length === 0 && problems.length === 0)
    report({ where: "--results", offset: 0 }, "expected models, NAME=FILE, such as qwen=qwen.jsonl");
  const models = resolveModels(request, data, run, report);
  checkLabels(models, request, report);
  checkCovered(data, models, request, report);
  const labels = models.map(({ label }) => label);
  if (baseline !== undefined && problems.length === 0 && !labels.includes(baseline.value))
    report(
      baseline,
      `expected one of the models: ${labels.join(", ")}; found ${baseline.value}.${didYouMean(baseline.value, labels)}`,
    );
  for (const written of published)
    if (splitNamed(written.value.data, data) === undefined)
      report(written, unknownData(`the figure of ${written.value.label}`, written.value.data, data));
  const splits = [...data.values()];
  const names = splits.map(({ name }) => name);
  const name = request.name ?? defaultName(labels, names);
  if (!isSweepName(name))
    report(
      { where: "--name", offset: 0 },
      `expected lower-case letters, digits and hyphens, found ${JSON.stringify(name)}`,
    );
  if (problems.length > 0) throw invalidError(request.origin, problems);
  return {
    name,
    question: request.question ?? defaultQuestion(labels, names),
    origin: request.origin,
    data: splits,
    models,
    baseline: baseline?.value ?? null,
    smallestDifference: request.smallestDifference ?? null,
    alpha: request.alpha ?? defaultAlpha,
    published: published.map(({ value }) => ({
      ...value,
      data: splitNamed(value.data, data)?.name ?? value.data,
    })),
  };
}

/** Each split needs a model that has answers for it. */
function checkCovered(
  data: ReadonlyMap<string, ComparedSplit>,
  models: readonly Model[],
  request: ComparisonRequest,
  report: Report,
): void {
  if (models.length < request.models.length) return; // What is missing has been reported.
  for (const [text, { name }] of data) {
    const hasModel = models.some(
      (model) => model.kind === "trials" || (model.files.get(name)?.length ?? 0) > 0,
    );
    const written = request.data.find(({ value }) => value === text);
    if (!hasModel && written !== undefined)
      report(written, `expected a model with answers on ${name}, found none`);
  }
}

/** "qwen-ours-demo-test"; with a hash if that is too long or has other letters. */
export function defaultName(labels: readonly string[], data: readonly string[]): string {
  const full = [...labels, ...data].join("-").replaceAll(":", "-");
  if (isSweepName(full)) return full;
  const short = full
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 50);
  return `${short.replace(/-+$/, "") || "comparison"}-${digest([labels, data]).slice(0, 8)}`;
}

function defaultQuestion(labels: readonly string[], data: readonly string[]): string {
  const where = nameLabels(data);
  if (labels.length === 1) return `How accurate is ${nameLabels(labels)} on ${where}?`;
  return `Which is more accurate on ${where}: ${nameLabels(labels).replace(/ and (?!.* and )/, " or ")}?`;
}
