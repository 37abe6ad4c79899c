/** A terminal that shows what was written to it: lines, and the few control sequences that live lines use. */
export class Screen {
  readonly #lines: string[] = [""];
  #row = 0;
  #column = 0;

  /** Without the empty lines at the end. @throws Error for a sequence that it does not know. */
  static show(written: string): string[] {
    const screen = new Screen();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what it reads
    for (const [part] of written.matchAll(/\u001b\[\??\d*[A-Za-z]|[\n\r]|[^\n\r\u001b]+/g))
      screen.#take(part);
    return screen.#lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd()
      .split("\n");
  }

  #take(part: string): void {
    if (part.startsWith("\u001b")) this.#control(part.slice(2));
    else if (part === "\n") this.#move(1, true);
    else if (part === "\r") this.#column = 0;
    else {
      const line = this.#lines[this.#row] ?? "";
      const before = line.slice(0, this.#column).padEnd(this.#column);
      this.#lines[this.#row] = before + part + line.slice(this.#column + part.length);
      this.#column += part.length;
    }
  }

  #control(sequence: string): void {
    const count = Math.max(1, Number.parseInt(sequence, 10) || 1);
    if (/^\?(25|2026)[hl]$/.test(sequence)) return; // The cursor's visibility, and synchronized output.
    if (sequence === "2K") this.#lines[this.#row] = "";
    else if (/^0?K$/.test(sequence))
      this.#lines[this.#row] = (this.#lines[this.#row] ?? "").slice(0, this.#column);
    else if (/^\d*A$/.test(sequence)) this.#move(-count, false);
    else if (/^\d*B$/.test(sequence)) this.#move(count, false);
    else if (/^[01]?G$/.test(sequence)) this.#column = 0;
    else throw new Error(`expected a known control sequence, found ${sequence}`);
  }

  #move(rows: number, toStart: boolean): void {
    this.#row = Math.max(0, this.#row + rows);
    while (this.#lines.length <= this.#row) this.#lines.push("");
    if (toStart) this.#column = 0;
  }
}
