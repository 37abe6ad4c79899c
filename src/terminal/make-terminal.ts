import { createLogUpdate } from "log-update";
import type { Terminal } from "./terminal.ts";

/** The streams that a program has; `process` is one such. */
export interface Streams {
  stdout: { write(text: string): unknown };
  stderr: NodeJS.WriteStream | { write(text: string): unknown; isTTY?: boolean };
}

const calmMs = 10_000;

/** On a terminal, live lines replace each other; elsewhere one of them is written now and then. */
export function makeTerminal({ stdout, stderr }: Streams): Terminal {
  const isTty = "isTTY" in stderr && stderr.isTTY === true && "columns" in stderr;
  const update = isTty && "fd" in stderr ? createLogUpdate(stderr) : undefined;
  let lastLive = 0;
  const line = (text: string): void => {
    update?.clear();
    stderr.write(`${text}\n`);
  };
  return {
    isTty,
    info: line,
    warn: (text) => line(`warning: ${text}`),
    live(lines) {
      if (update !== undefined) update(lines.join("\n"));
      else if (Date.now() - lastLive >= calmMs) {
        lastLive = Date.now();
        stderr.write(`${lines.map((text) => text.trim()).join(" | ")}\n`);
      }
    },
    liveDone: () => update?.done(),
    result: (text) => void stdout.write(`${text}\n`),
  };
}
