/** What one check of a data set found: all well, something to know, or something to mend. */
export interface Finding {
  state: "ok" | "note" | "FAIL";
  /** What was looked at. */
  what: string;
  /** What was found and, where it failed, how to mend it. */
  detail: string;
}

export function finding(state: Finding["state"], what: string, detail: string): Finding {
  return { state, what, detail };
}

/** The first three, and how many more: for a line. */
export function firstOf(items: readonly string[], total: number = items.length): string {
  const shown = items.slice(0, 3);
  return total > shown.length ? `${shown.join(", ")} and ${total - shown.length} more` : shown.join(", ");
}
