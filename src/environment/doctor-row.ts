/** One line of `cliprpn doctor`: something that cliprpn needs. */
export interface DoctorRow {
  name: string;
  state: "ok" | "missing" | "broken";
  found: string;
  /** Instructions to fix it; empty if there is no problem. */
  how_to_fix: string;
}

export function ok(name: string, found: string): DoctorRow {
  return { name, state: "ok", found, how_to_fix: "" };
}

export function missing(name: string, found: string, fix: string): DoctorRow {
  return { name, state: "missing", found, how_to_fix: fix };
}

export function broken(name: string, found: string, fix: string): DoctorRow {
  return { name, state: "broken", found, how_to_fix: fix };
}

/** The first line of an error's message. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
