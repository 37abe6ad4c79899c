/** What the rest of the program may say to a person. `main` makes one and hands it down; only this room writes to stderr. */
export interface Terminal {
  /** A plain line that stays. */
  info(line: string): void;
  /** A line that stays and asks for attention. */
  warn(line: string): void;
  /** Live lines that replace the last live lines on a terminal; elsewhere shown only when nothing was for ten seconds. */
  live(lines: string[]): void;
  /** Ends the live area; nothing of it stays. */
  liveDone(): void;
  /** A result: the only thing that goes to stdout. */
  result(text: string): void;
  readonly isTty: boolean;
}
