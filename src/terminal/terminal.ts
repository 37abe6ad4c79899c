/** Output to the user. `main` creates one and passes it down; no other module writes to stdout or stderr. */
export interface Terminal {
  /** Prints a permanent line. */
  info(line: string): void;
  /** Prints a permanent line, marked as a warning. */
  warn(line: string): void;
  /** Replaces the live lines on a terminal; elsewhere, shown only after 10 s of silence. */
  live(lines: string[]): void;
  /** Clears the live lines. */
  liveDone(): void;
  /** Prints a result to stdout. */
  result(text: string): void;
  readonly isTty: boolean;
}
