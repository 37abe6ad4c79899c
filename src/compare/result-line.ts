import { dirname, join } from "node:path";
import type { Figure } from "../contract/generated/types.ts";
import type { Comparison } from "./comparison.ts";
import type { MadeComparison } from "./run-comparison.ts";

/** The result of a comparison for programs, as one line of JSON. */
export function resultLine({ name, data }: Comparison, made: MadeComparison): string {
  const { file, verdict, inputs, combined } = made;
  return JSON.stringify({
    name,
    file,
    verdict,
    data: inputs.map(({ summary, files }, index) => ({
      name: data[index]?.name,
      json: join(dirname(file), files.json),
      num_sentences: summary.num_sentences,
      num_images: summary.num_images,
      models: summary.settings.map(({ label, figures }) => ({ label, ...intervals(figures) })),
      comparisons: summary.comparisons.map(({ label, against, difference, p_value, p_adjusted }) => ({
        label,
        against,
        difference,
        p_value,
        p_adjusted,
      })),
    })),
    primary:
      combined === undefined
        ? null
        : {
            data: combined.endpoints.filter(({ in_primary }) => in_primary).map((endpoint) => endpoint.name),
            models: combined.settings.map(({ label, primary }) => ({ label, acc_at_50: primary })),
          },
  });
}

function intervals(figures: readonly Figure[]): Record<string, Figure["interval"]> {
  return Object.fromEntries(figures.map(({ metric, interval }) => [metric, interval]));
}
