import type { LiveLines } from "./live-lines.ts";
import type { Draw } from "./terminal.ts";

/**
 * Draws a view as live lines: at once, then at most twice a second, and when the terminal is resized. As with live lines, an error
 * of the display ends the display only.
 */
export class LiveView {
  readonly #screen: NodeJS.WriteStream;
  readonly #lines: LiveLines;
  /** Undefined while there is no view. */
  #draw: Draw | undefined;
  /** What is on the screen. */
  #text = "";
  #drawnAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: NodeJS.WriteStream, lines: LiveLines) {
    this.#screen = screen;
    this.#lines = lines;
  }

  show(draw: Draw): void {
    if (this.#draw === undefined) this.#screen.on("resize", this.#redraw);
    this.#draw = draw;
    const waitMs = this.#drawnAt + minIntervalMs - performance.now();
    if (waitMs <= 0) this.#redraw();
    else this.#timer ??= setTimeout(this.#redraw, waitMs).unref();
  }

  /** Shows it again below a line that was printed. */
  restore(): void {
    if (this.#draw !== undefined) this.#lines.show(this.#text);
  }

  stop(): void {
    if (this.#draw === undefined) return;
    this.#draw = undefined;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#screen.off("resize", this.#redraw);
    this.#clearTimer();
  }

  readonly #redraw = (): void => {
    if (this.#draw === undefined) return;
    this.#clearTimer();
    this.#drawnAt = performance.now();
    try {
      this.#text = this.#draw(roomOf(this.#screen)).join("\n");
    } catch {
      this.stop();
      return;
    }
    this.#lines.show(this.#text);
  };

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const minIntervalMs = 500;

/** Some terminals wrap a line that fills all columns. The last permanent lines stay visible above the view. */
function roomOf({ columns, rows }: NodeJS.WriteStream): { columns: number; rows: number } {
  return {
    columns: Math.max(1, (columns || 80) - 1),
    rows: Math.max(1, (rows || 24) - (rows < 20 ? 1 : 3) - 1),
  };
}
