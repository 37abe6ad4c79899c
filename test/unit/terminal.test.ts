import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";

function plain() {
  const lines: string[] = [];
  let time = 0;
  const terminal = makeTerminal(
    { stdout: { write: () => true }, stderr: { write: (text: string) => void lines.push(text) } },
    () => time,
  );
  return {
    lines,
    terminal,
    pass: (ms: number): void => {
      time += ms;
    },
  };
}

test("without a terminal live lines are one plain line, only after 10 s of silence", () => {
  const { lines, terminal, pass } = plain();
  terminal.live(["1 of 2 done", "  a: training"]);
  expect(lines).toEqual([]);
  pass(10_000);
  terminal.live(["1 of 2 done", "  a: training"]);
  terminal.live(["1 of 2 done", "  a: evaluating"]);
  expect(lines).toEqual(["1 of 2 done; a: training\n"]);
  pass(9000);
  terminal.info("[2/2] a");
  pass(9000);
  terminal.live(["later"]);
  expect(lines).toEqual(["1 of 2 done; a: training\n", "[2/2] a\n"]);
});

/** What is written to a terminal of so many columns. */
function screen(columns: number, env: NodeJS.ProcessEnv = {}) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 20 });
  const terminal = makeTerminal({
    stdout: { write: () => true },
    stderr: stream as unknown as NodeJS.WriteStream,
    env,
  });
  let all = "";
  stream.on("data", (text) => {
    all += text;
  });
  return { terminal, written: () => all };
}

test("a live line that is longer than the terminal is wide is cut, not wrapped", async () => {
  const { terminal, written } = screen(20);
  terminal.live(["x".repeat(50), "short"]);
  await vi.waitFor(() => expect(written()).toContain("short"));
  const text = written();
  expect(text).toContain(`${"x".repeat(18)}…\n`);
  expect(text).not.toContain("x".repeat(19));
});

test("a dumb terminal gets plain lines, and no terminal gets colors", async () => {
  const dumb = screen(80, { TERM: "dumb" });
  dumb.terminal.live(["live"]);
  dumb.terminal.warn("look");
  await vi.waitFor(() => expect(dumb.written()).toBe("warning: look\n"));
  const { terminal, written } = screen(80);
  terminal.warn("look");
  terminal.live(["live"]);
  await vi.waitFor(() => expect(written()).toContain("live"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: color codes are what the test looks for
  expect(written()).not.toMatch(/\u001b\[[0-9;]*m/);
});

test("of live lines that came and went while the screen was being readied, nothing is left", async () => {
  const { terminal, written } = screen(80);
  terminal.live(["first"]);
  terminal.live(["second"]);
  terminal.liveDone();
  await import("log-update");
  terminal.live(["third"]);
  await vi.waitFor(() => expect(written()).toContain("third"));
  expect(written()).not.toMatch(/first|second/);
});
