/** The result of one check of a dataset: passed, worth knowing, or failed. */
export interface CheckResult {
  state: "ok" | "note" | "FAIL";
  /** The subject of the check. */
  what: string;
  /** The finding and, for a failure, the fix. */
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
