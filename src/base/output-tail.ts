/** The end of a process's output, which says why it died. */
export class OutputTail {
  #text = "";

  write(data: Buffer): void {
    this.#text = (this.#text + data.toString()).slice(-maxLength);
  }

  /** `reason`, followed by the last lines of the output, if there are any. */
  after(reason: string): string {
    const lines = lastLines(this.#text);
    return lines === "" ? reason : `${reason}: ${lines}`;
  }
}

const maxLength = 4096;

/** The last three lines of a process's output, in one line, without stack frames and what Node prints after an error. */
export function lastLines(output: string): string {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(at .*[:)]|\^+|Node\.js v[\d.]+|Thrown at:.*)/.test(line))
    .slice(-3)
    .join("; ")
    .slice(-500);
}
