import type {
  Combined,
  CombinedSetting,
  Endpoint,
  Interval,
  PublishedResult,
  StoredComparison,
} from "../../contract/generated/types.ts";
import { nameEndpoints } from "../overview/combined-verdict.ts";
import { combinedRuns, repeatedSteps } from "../wording.ts";
import { markOf, meaningOf, noLatexValue, plusMinus, tableOf, trainingOf } from "./latex-table.ts";
import { latexText } from "./latex-text.ts";

/**
 * Acc@0.5 of each model as a LaTeX table: a column per split below the names of the datasets, and the mean of the primary endpoint.
 *
 * @param name of the comparison or sweep.
 * @param trainingSet of a sweep, if several datasets were joined.
 */
export function latexSplits(
  name: string,
  combined: Combined,
  comparison: StoredComparison | undefined,
  trainingSet?: string,
): string {
  const { settings, endpoints } = combined;
  const primary = endpoints.filter(({ in_primary }) => in_primary);
  const hasMean = primary.length > 1;
  const populations = settings.map(({ population }) => population);
  const best = [
    highest(settings, ({ primary: figure }) => figure),
    ...endpoints.map((_, index) => highest(settings, ({ per_endpoint }) => per_endpoint[index])),
  ];
  const row = (setting: CombinedSetting): string[] => [
    (setting.is_upper_bound ? `\\emph{upper bound: ${latexText(setting.label)}}` : latexText(setting.label)) +
      markOf(setting.population, populations),
    ...setting.per_endpoint.map((figure, index) => cell(setting, figure, best[index + 1])),
    ...(hasMean ? [cell(setting, setting.primary, best[0])] : []),
  ];
  const bounds = settings.filter(({ is_upper_bound }) => is_upper_bound);
  const steps = latexText(repeatedSteps(combinedRuns(combined, comparison)));
  const meanOf =
    !hasMean || primary.length === endpoints.length
      ? ""
      : ` The mean is over ${latexText(nameEndpoints(primary))}.`;
  return tableOf({
    caption: `Acc@0.5 in \\%. The highest of each column is bold.${meanOf} ${meaningOf(combined, populations, steps)}${trainingOf(trainingSet)}`,
    label: `${name}-splits`,
    align: `l${"r".repeat(endpoints.length + (hasMean ? 1 : 0))}`,
    spans: spansOf(endpoints),
    head: [
      comparison === undefined ? "Configuration" : "Model",
      ...endpoints.map(({ split }) => latexText(split)),
      ...(hasMean ? ["Mean"] : []),
    ],
    groups: [
      settings.filter(({ is_upper_bound }) => !is_upper_bound).map(row),
      bounds.map(row),
      publishedRows(comparison?.published ?? [], endpoints, hasMean),
    ],
    comments: [],
  });
}

function highest(
  settings: readonly CombinedSetting[],
  figureOf: (setting: CombinedSetting) => Interval | null | undefined,
): number | undefined {
  const known = settings.flatMap((setting) =>
    setting.is_upper_bound ? [] : (figureOf(setting)?.mean ?? []),
  );
  return known.length < 2 ? undefined : Math.max(...known);
}

function cell(
  { is_upper_bound }: CombinedSetting,
  figure: Interval | null,
  best: number | undefined,
): string {
  if (figure === null) return noLatexValue;
  const text = plusMinus(figure);
  // \boldmath is for formulas in text; \mathbf would leave ± and signs as they are.
  return best !== undefined && !is_upper_bound && figure.mean === best ? `{\\boldmath${text}}` : text;
}

/** Neighboring columns of a dataset share its name. */
function spansOf(endpoints: readonly Endpoint[]): { title: string; first: number; last: number }[] {
  const spans: { name: string; first: number; last: number }[] = [];
  for (const [index, { dataset_name }] of endpoints.entries()) {
    const last = spans.at(-1);
    if (last?.name === dataset_name) last.last = index + 2;
    else spans.push({ name: dataset_name, first: index + 2, last: index + 2 });
  }
  return spans.map(({ name, first, last }) => ({ title: latexText(name), first, last }));
}

function publishedRows(
  published: readonly PublishedResult[],
  endpoints: readonly Endpoint[],
  hasMean: boolean,
): string[][] {
  const used = published.filter(({ metric }) => metric === "acc_at_50");
  return [...new Set(used.map(({ label }) => label))].flatMap((label) => {
    const values = endpoints.map(({ name }) =>
      used.find((each) => each.label === label && each.data === name),
    );
    if (values.every((value) => value === undefined)) return [];
    return [
      [
        `\\emph{${latexText(label)} (published)}`,
        ...values.map((found) =>
          found === undefined ? noLatexValue : `\\emph{${(found.value * 100).toFixed(1)}}`,
        ),
        ...(hasMean ? [noLatexValue] : []),
      ],
    ];
  });
}
