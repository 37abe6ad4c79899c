import type { Summary } from "../contract/generated/types.ts";
import { interval, points } from "./format.ts";

/** The one-sentence answer: what is best, by how much, and whether the data can tell. */
export function verdict(summary: Summary): string {
  const [best] = summary.settings;
  const figure = best?.figures.find(({ metric }) => metric === "acc_at_50");
  if (best === undefined || figure === undefined) return "No trial is complete, so there is no answer yet.";
  const reached = `${best.label} grounds best: Acc@0.5 ${interval(figure.interval)} % on ${summary.split}`;
  const others = summary.comparisons.map((comparison) => ({
    ...comparison,
    clear: comparison.difference.low > 0,
  }));
  if (others.length === 0) return `${reached}; there is nothing to hold it against.`;
  const level = others.filter(({ clear }) => !clear);
  const [nearest] = [...others].sort((a, b) => a.difference.mean - b.difference.mean);
  if (nearest === undefined) return `${reached}.`;
  const by = `${signed(nearest.difference.mean)} points over ${nearest.against} [${signed(nearest.difference.low)}, ${signed(nearest.difference.high)}]`;
  if (level.length === 0)
    return `${reached}, ahead of every other setting by at least what chance explains (${by}).`;
  return `${reached}, but these pictures cannot tell it from ${level.map(({ against }) => against).join(", ")} (${by}).`;
}

export function signed(share: number): string {
  return `${share < 0 ? "−" : "+"}${points(Math.abs(share))}`;
}
