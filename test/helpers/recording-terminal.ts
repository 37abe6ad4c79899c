import type { Terminal } from "../../src/terminal/terminal.ts";

/** A terminal that records its output. */
export interface RecordingTerminal extends Terminal {
  lines: string[];
  liveLines: string[];
  results: string[];
}

export function recordingTerminal(): RecordingTerminal {
  const lines: string[] = [];
  const liveLines: string[] = [];
  const results: string[] = [];
  return {
    lines,
    liveLines,
    results,
    isTty: false,
    info: (line) => void lines.push(line),
    warn: (line) => void lines.push(`warning: ${line}`),
    live: (block) => void liveLines.push(...(typeof block === "function" ? block() : block)),
    view: () => undefined,
    liveDone: () => undefined,
    result: (text) => void results.push(text),
  };
}
