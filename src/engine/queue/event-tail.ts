import { LineTail, maxLineBytes } from "../../base/line-tail.ts";
import { findSchemaErrors } from "../../contract/check.ts";
import type { TrialEvent } from "../../contract/generated/types.ts";

/** Reads the events of an attempt as they are appended to its file. */
export class EventTail {
  readonly #file: string;
  readonly #lines: LineTail;
  #isRefused = false;
  #hasFailed = false;

  constructor(file: string) {
    this.#file = file;
    this.#lines = new LineTail(file);
  }

  /**
   * The events since the last call. A line that is none is skipped: events are for display only. Nothing is read after a line that is
   * too long, which a warning says. Another one says the first error of the disk; later calls try again.
   */
  read(): TrialEvent[] {
    if (this.#isRefused) return [];
    let lines: string[] | undefined;
    try {
      lines = this.#lines.read();
    } catch (error) {
      return this.#failed(error);
    }
    if (lines !== undefined) return lines.flatMap((line) => eventOf(line) ?? []);
    this.#isRefused = true;
    const message = `${this.#file}: expected events of at most ${maxLineBytes / 1e6} MB, found a longer line; no more events of this attempt are shown`;
    return [{ type: "warning", message }];
  }

  #failed(error: unknown): TrialEvent[] {
    if (this.#hasFailed) return [];
    this.#hasFailed = true;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${this.#file}: expected the events of an attempt, found ${reason}; its progress is not shown while they cannot be read`;
    return [{ type: "warning", message }];
  }
}

function eventOf(line: string): TrialEvent | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return findSchemaErrors("TrialEvent", event).length === 0 ? (event as TrialEvent) : undefined;
  } catch {
    return undefined;
  }
}
