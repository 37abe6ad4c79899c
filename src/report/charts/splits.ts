import { counted } from "../../base/format.ts";
import type { Combined, Interval } from "../../contract/generated/types.ts";
import { confidenceOf } from "../figures.ts";
import { interval } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { lineHeight, settingRows, shortLabel, wrapLabel } from "./labels.ts";
import { noteZoom, toPercent, zoomedDomain } from "./scales.ts";
import { color, maxDrawn, selectShown, settingStyles } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** Acc@0.5 of each model on each split, with intervals: a row for the mean, then one per split. */
export function splitsChart(combined: Combined): Chart | undefined {
  const { settings, endpoints, baseline } = combined;
  const candidates = settings.filter(({ is_upper_bound }) => !is_upper_bound);
  const shown = selectShown(candidates, baseline, maxDrawn);
  const styles = settingStyles(
    { settings: candidates },
    shown.map(({ label }) => label),
  );
  const num_primary = endpoints.filter(({ in_primary }) => in_primary).length;
  const rows: { title: string; figureOf: (setting: (typeof settings)[number]) => Interval | null }[] = [
    ...(num_primary > 1
      ? [
          {
            title: `mean of ${counted(num_primary, "split")}`,
            figureOf: ({ primary }: (typeof settings)[number]) => primary,
          },
        ]
      : []),
    ...endpoints.map(({ name, in_primary }, index) => ({
      title: wrapLabel(
        in_primary || num_primary === endpoints.length ? name : `${name}, not in the mean`,
        30,
      ),
      figureOf: ({ per_endpoint }: (typeof settings)[number]) => per_endpoint[index] ?? null,
    })),
  ];
  const values = rows.flatMap(({ title, figureOf }) =>
    shown.flatMap((setting, index) => {
      const figure = figureOf(setting);
      const style = styles.get(setting.label);
      if (figure === null || style === undefined) return [];
      const { label: model, ...look } = style;
      const offset = (index - (shown.length - 1) / 2) * step;
      return [{ label: title, model, ...look, ...toPercent(figure), offset }];
    }),
  );
  if (values.length === 0) return undefined;
  const domain = zoomedDomain(values.flatMap(({ low, high }) => [low, high]));
  const num_hidden = candidates.length - shown.length;
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain, zero: false },
    axis: {
      tickCount: 8,
      title: [
        `Acc@0.5 (%)${noteZoom(domain)}`,
        `point: mean; line: ${confidenceOf(combined)} interval`,
        ...(num_hidden > 0 ? [`${shown.length} of ${candidates.length} models`] : []),
      ],
    },
  });
  const { y, height } = settingRows(
    rows.map(({ title }) => title),
    Math.max(2 * lineHeight, shown.length * step + 14),
  );
  const yOffset = { expr: "datum.offset" };
  const order = [...styles.values()];
  const legend = {
    title: null,
    orient: "top",
    direction: "vertical",
    labelLimit: 500,
    labelExpr: "split(datum.label, '\\n')",
  };
  const spec = {
    width: 480,
    height,
    layer: [
      {
        data: { values: separators(rows.map(({ title }) => title)) },
        mark: { type: "rule", color: colors.grid, yOffset: -(shown.length * step + 14) / 2 },
        encoding: { y },
      },
      {
        data: { values },
        mark: { type: "rule", strokeWidth: 2.2, yOffset },
        encoding: { y, x: x("low"), x2: { field: "high" }, color },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 60, opacity: 1, yOffset },
        encoding: {
          y,
          x: x("mean"),
          color: {
            field: "model",
            type: "nominal",
            scale: { domain: order.map(({ label }) => label), range: order.map((each) => each.color) },
            legend,
          },
          shape: {
            field: "model",
            type: "nominal",
            scale: { domain: order.map(({ label }) => label), range: order.map((each) => each.shape) },
            legend,
          },
        },
      },
    ],
    resolve: { scale: { color: "independent", shape: "independent" } },
  };
  return { spec, alt: describe(combined) };
}

/** Pixels between two models of a row. */
const step = 13;

/** A line above each row but the first. */
function separators(titles: string[]): { label: string }[] {
  return titles.slice(1).map((label) => ({ label }));
}

function describe({ settings, endpoints }: Combined): string {
  const figures = settings.map(({ label, primary, per_endpoint }) => {
    const first = primary ?? per_endpoint.find((each) => each !== null);
    return first === null || first === undefined
      ? shortLabel(label)
      : `${shortLabel(label)} ${interval(first)}`;
  });
  const where = endpoints.length === 1 ? "" : " averaged over the splits of the primary endpoint";
  return `Acc@0.5 in %${where}, with intervals: ${listed(figures)}.`;
}
