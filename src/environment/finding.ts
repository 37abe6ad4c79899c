/** One thing that cliprpn needs. */
export interface Finding {
  name: string;
  state: "ok" | "missing" | "broken";
  found: string;
  /** What to do; empty when there is nothing to do. */
  how_to_mend: string;
}

export function ok(name: string, found: string): Finding {
  return { name, state: "ok", found, how_to_mend: "" };
}

export function missing(name: string, found: string, how_to_mend: string): Finding {
  return { name, state: "missing", found, how_to_mend };
}

export function broken(name: string, found: string, how_to_mend: string): Finding {
  return { name, state: "broken", found, how_to_mend };
}

/** What an error says first, for a row. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
