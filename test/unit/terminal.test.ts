import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { liveLines } from "../../src/terminal/live-lines.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { until } from "../helpers/processes.ts";

function plainTerminal() {
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

test("without a terminal, live lines become one plain line, only after 10 s of silence", () => {
  const { lines, terminal, pass } = plainTerminal();
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

/** A terminal with this number of columns, and what was written to it. */
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
  await until(() => written().includes("short"));
  const text = written();
  expect(text).toContain(`${"x".repeat(18)}…\n`);
  expect(text).not.toContain("x".repeat(19));
});

test("a dumb terminal gets plain lines, and no terminal gets colors", async () => {
  const dumb = screen(80, { TERM: "dumb" });
  dumb.terminal.live(["live"]);
  dumb.terminal.warn("look");
  await until(() => dumb.written().length > 0);
  expect(dumb.written()).toBe("warning: look\n");
  const { terminal, written } = screen(80);
  terminal.warn("look");
  terminal.live(["live"]);
  await until(() => written().includes("live"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: color codes are what the test looks for
  expect(written()).not.toMatch(/\u001b\[[0-9;]*m/);
});

test("live lines that were removed before log-update was loaded are never shown", async () => {
  const { terminal, written } = screen(80);
  terminal.live(["first"]);
  terminal.live(["second"]);
  terminal.liveDone();
  await import("log-update");
  terminal.live(["third"]);
  await until(() => written().includes("third"));
  expect(written()).not.toMatch(/first|second/);
});

test.each([
  ["while it is loaded", 0],
  ["later", 1],
])("a display that fails %s ends no work", async (_, numWrites) => {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  process.on("unhandledRejection", onError);
  onTestFinished(() => void process.off("unhandledRejection", onError));
  let left = numWrites;
  let numCalls = 0;
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 20 });
  stream.write = () => {
    numCalls += 1;
    if (left-- <= 0) throw new Error("the screen is gone");
    return true;
  };
  const lines = liveLines(stream as unknown as NodeJS.WriteStream);
  for (const text of ["first", "second", "third"]) {
    lines.show(text);
    await until(() => numCalls > 0);
  }
  lines.clear();
  lines.done();
  await new Promise((resolve) => setImmediate(resolve)); // Unhandled rejections are reported by then.
  expect(errors).toEqual([]);
  expect(left).toBeLessThan(0);
});
