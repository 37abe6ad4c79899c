import { cutEnd } from "../base/display-width.ts";
import { oneLine, visibleText } from "../base/plain-text.ts";
import { liveLines } from "./live-lines.ts";
import { LiveView } from "./live-view.ts";
import type { Terminal } from "./terminal.ts";

/** Output streams of a program, such as `process`. */
export interface Streams {
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: NodeJS.WriteStream | { write(text: string): unknown; isTTY?: boolean };
  env?: NodeJS.ProcessEnv;
}

const silenceMs = 10_000;

/**
 * On a terminal, live lines replace each other; elsewhere one is printed after 10 s of silence. No colors. Texts of others, such as
 * labels and messages of libraries, cannot control the terminal; a result that goes to a program stays as it is.
 */
export function makeTerminal({ stdout, stderr, env = {} }: Streams, now: () => number = Date.now): Terminal {
  const screen = "columns" in stderr && stderr.isTTY === true && env.TERM !== "dumb" ? stderr : undefined;
  const live = screen === undefined ? undefined : liveLines(screen);
  const view = screen === undefined || live === undefined ? undefined : new LiveView(screen, live);
  let lastLine = now();
  const line = (text: string): void => {
    live?.clear();
    stderr.write(`${visibleText(text)}\n`);
    view?.restore();
    lastLine = now();
  };
  return {
    isTty: screen !== undefined,
    info: line,
    warn: (text) => line(`warning: ${text}`),
    live(lines) {
      view?.stop();
      const texts = (): string[] => (typeof lines === "function" ? lines() : lines);
      if (live !== undefined)
        live.show(
          texts()
            .map((text) => truncate(oneLine(text), screen?.columns))
            .join("\n"),
        );
      else if (now() - lastLine >= silenceMs)
        line(
          texts()
            .map((text) => text.trim())
            .join("; "),
        );
    },
    view: (draw) => view?.show((size) => draw(size).map(oneLine)),
    liveDone() {
      view?.stop();
      live?.done();
    },
    result(text) {
      stdout.write(`${stdout.isTTY === true ? visibleText(text) : text}\n`);
    },
  };
}

/** A line that wraps would flicker. */
function truncate(text: string, columns = 80): string {
  return cutEnd(text, columns - 1);
}
