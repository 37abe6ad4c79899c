import { allComparisons } from "../store/comparison-store.ts";

/** A comparison in a runs folder, as `cliprpn list` shows it. */
export interface ListedComparison {
  name: string;
  folder: string;
  /** Null if it cannot be read. */
  question: string | null;
  /** Names of the models. */
  models: string[] | null;
  /** Names of the splits. */
  data: string[] | null;
  /** UTC, ISO 8601. */
  changed_at: string;
  /** Why it cannot be read. */
  problem: string | null;
}

/** The comparisons in a runs folder, the one that was changed last first. It never fails because of a damaged one. */
export function listComparisons(runsDir: string): ListedComparison[] {
  const complete = allComparisons(runsDir).filter(({ exists }) => exists);
  return complete.map((comparison) => {
    const { name, folder } = comparison;
    const listed = { name, folder, changed_at: new Date(comparison.changedAt).toISOString() };
    const none = { question: null, models: null, data: null };
    try {
      const stored = comparison.read();
      if (stored === undefined) return { ...listed, ...none, problem: `${folder}: it was removed meanwhile` };
      const { question, models, data } = stored;
      const labels = models.map(({ label }) => label);
      return { ...listed, question, models: labels, data: data.map((each) => each.name), problem: null };
    } catch (error) {
      return { ...listed, ...none, problem: error instanceof Error ? error.message : String(error) };
    }
  });
}
