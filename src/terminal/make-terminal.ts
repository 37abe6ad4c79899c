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
  const inLocale = isUtf8(env) ? (text: string): string => text : withoutOurSymbols;
  let lastLine = now();
  const line = (text: string): void => {
    live?.clear();
    stderr.write(`${inLocale(visibleText(text))}\n`);
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
            .map((text) => inLocale(truncate(oneLine(text), screen?.columns)))
            .join("\n"),
        );
      else if (now() - lastLine >= silenceMs)
        line(
          texts()
            .map((text) => text.trim())
            .join("; "),
        );
    },
    view: (draw) => view?.show((size) => draw(size).map((text) => inLocale(oneLine(text)))),
    liveDone() {
      view?.stop();
      live?.done();
    },
    result(text) {
      if (stdout.isTTY !== true) stdout.write(`${text}\n`);
      else {
        live?.clear(); // Both streams are the same terminal, as a rule.
        stdout.write(`${inLocale(visibleText(text))}\n`);
        view?.restore();
      }
    },
  };
}

/** False if the locale names another encoding; many containers set no locale, and their terminals are of UTF-8. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  return locale === "" || /utf-?8/i.test(locale);
}

/** ASCII of the same width in place of the dash and the ellipsis that our tables have; a person's labels stay. */
function withoutOurSymbols(text: string): string {
  return text.replaceAll("–", "-").replaceAll("…", "~");
}

/** A line that wraps would flicker. */
function truncate(text: string, columns = 80): string {
  return cutEnd(text, columns - 1);
}
