/** Output to the user. `main` creates one and passes it down; no other module writes to stdout or stderr. */
export interface Terminal {
  /** Prints a permanent line. */
  info(line: string): void;
  /** Prints a permanent line, marked as a warning. */
  warn(line: string): void;
  /**
   * Replaces the live lines on a terminal; elsewhere, shown only after 10 s of silence.
   *
   * @param lines or a function that returns them, called only if they are shown: a sweep with many slots has many events.
   */
  live(lines: string[] | (() => string[])): void;
  /**
   * Replaces the live lines by a view, which stays below the permanent lines. It is drawn for the size of the terminal, at most
   * twice a second, and again when that size changes. Elsewhere, nothing is shown.
   *
   * @param draw returns at most `rows` lines of at most `columns` columns, as they are at the time of the call.
   */
  view(draw: Draw): void;
  /** Clears the live lines or the view. */
  liveDone(): void;
  /** Prints a result to stdout. */
  result(text: string): void;
  readonly isTty: boolean;
}

/** Lines for a terminal with this room, in characters. */
export type Draw = (size: { columns: number; rows: number }) => string[];
