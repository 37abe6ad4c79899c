/** The result of one check of a dataset: passed, worth knowing, or failed. */
export interface CheckResult {
  state: "ok" | "note" | "FAIL";
  /** What was checked. */
  what: string;
  /** What was found and, for a failure, how to fix it. */
  detail: string;
}

export function checkResult(state: CheckResult["state"], what: string, detail: string): CheckResult {
  return { state, what, detail };
}

/** The first three items and the number of others, for one line. */
export function firstOf(items: readonly string[], total: number = items.length): string {
  const shown = items.slice(0, 3);
  return total > shown.length ? `${shown.join(", ")} and ${total - shown.length} more` : shown.join(", ");
}
