import { count, joinWords } from "../base/format.ts";
import type { TrialSpec } from "../contract/generated/types.ts";

/** A label inside a sentence: in quotes if it contains a comma. */
export function quoteLabel(label: string): string {
  return label.includes(",") ? `“${label}”` : label;
}

/** "film, token and 3 others": at most `max` labels in a sentence. */
export function nameLabels(labels: readonly string[], max = 3): string {
  // One name in place of "1 other".
  if (labels.length <= max + 1) return joinWords(labels.map(quoteLabel));
  return joinWords([...labels.slice(0, max).map(quoteLabel), `${count(labels.length - max)} others`]);
}

/** "film, seed 0"; a baseline is named by its label alone, since it runs only once. */
export function trialName({ kind, label, seed }: Pick<TrialSpec, "kind" | "label" | "seed">): string {
  return kind === "baseline" ? label : `${label}, seed ${seed}`;
}

/** "film, seeds 0 and 1; YOLO, crop"; "all 15 trials". */
export function nameTrials(marked: { spec: TrialSpec }[], all: readonly unknown[] = []): string {
  if (marked.length === all.length && marked.length > 1) return `all ${count(marked.length)} trials`;
  const seedsOf = new Map<string, number[]>();
  for (const { spec } of marked) {
    const known = seedsOf.get(spec.label) ?? [];
    if (spec.kind === "cliprpn") known.push(spec.seed);
    seedsOf.set(spec.label, known);
  }
  return nameParts(
    [...seedsOf].map(([label, each]) =>
      each.length === 0
        ? label
        : `${label}, seed${each.length === 1 ? "" : "s"} ${joinWords(each.map(String))}`,
    ),
  );
}

/** "a; b; and 7 more". */
export function nameParts(parts: string[]): string {
  const more = parts.length > maxNames ? [`and ${count(parts.length - maxNames)} more`] : [];
  return [...parts.slice(0, maxNames), ...more].join("; ");
}

export const maxNames = 8;
