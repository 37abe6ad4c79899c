import { PassThrough } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { liveLines } from "../../src/terminal/live-lines.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { until } from "../helpers/processes.ts";
import { Screen } from "../helpers/screen.ts";

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
  return { terminal, stream, written: () => all };
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

const clearAndUp = "\u001b[2K\u001b[1A";

test("a view is drawn for the size of the terminal, and again when the size changes", async () => {
  const { terminal, stream, written } = screen(40);
  const sizes: unknown[] = [];
  terminal.view((size) => {
    sizes.push(size);
    return ["x".repeat(size.columns), "short"];
  });
  await until(() => written().includes("short"));
  const before = written().length;
  Object.assign(stream, { columns: 20, rows: 30 }).emit("resize");
  await until(() => written().slice(before).includes("short"));
  // A column stays free, and rows for the last permanent lines.
  expect(sizes).toEqual([
    { columns: 39, rows: 16 },
    { columns: 19, rows: 26 },
  ]);
  // The first line took two after the terminal became narrower; log-update erases the two that it knows of.
  expect(written().slice(before)).toMatch(clearAndUp);
  expect(written().slice(before).split("\u001b[2K").length - 1).toBe(1 + 3);
  terminal.liveDone();
  expect(stream.listenerCount("resize")).toBe(0);
});

test.each([
  ["in the middle", ["a", "B", "c", "d"]],
  ["at the start", ["A", "b", "c", "d"]],
  ["at the end", ["a", "b", "c", "D"]],
  ["in the middle and one is added", ["a", "B", "b2", "c", "d"]],
  ["in the middle and one is removed", ["a", "C", "d"]],
  ["with an empty one", ["a", "", "c", "d"]],
])("when a line changes %s, the others stay on the screen", async (_, changed) => {
  const { terminal, written } = screen(80);
  await import("log-update");
  terminal.info("a permanent line");
  for (const lines of [["a", "b", "c", "d"], changed]) {
    const before = written().length;
    terminal.live(lines);
    await until(() => written().length > before);
    expect(Screen.show(written())).toEqual(["a permanent line", ...lines]);
  }
  terminal.info("another one");
  terminal.live(["end"]);
  expect(Screen.show(written())).toEqual(["a permanent line", "another one", "end"]);
});

test("a view that changes often is drawn at most twice a second, and at last as it is then", async () => {
  const { terminal, written } = screen(80);
  await import("log-update");
  let numDrawn = 0;
  let step = 0;
  const started = performance.now();
  for (; step < 1000; step += 1) {
    terminal.view(() => {
      numDrawn += 1;
      return [`step ${step}`];
    });
    if (step % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => written().includes("step 1000"));
  expect(numDrawn).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - started) / 500));
  terminal.liveDone();
});

test("a printed line stays above the view, which is there again at once", async () => {
  const { terminal, written } = screen(80);
  terminal.view(() => ["the view"]);
  await until(() => written().includes("the view"));
  const before = written().length;
  terminal.info("a trial ended");
  await until(() => written().slice(before).includes("the view"));
  expect(Screen.show(written())).toEqual(["a trial ended", "the view"]);
  terminal.liveDone();
  terminal.info("the end");
  expect(Screen.show(written())).toEqual(["a trial ended", "the end"]);
});

test("a result on the same terminal stays above the view, too", async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 20 });
  const terminal = makeTerminal({ stdout: stream, stderr: stream as unknown as NodeJS.WriteStream });
  let written = "";
  stream.on("data", (text) => {
    written += text;
  });
  await import("log-update");
  terminal.view(() => ["the view", "its end"]);
  await until(() => written.includes("the view"));
  terminal.result("a result");
  await until(() => written.includes("a result"));
  expect(Screen.show(written)).toEqual(["a result", "the view", "its end"]);
  terminal.liveDone();
});

test("an error of a view ends the view only; a dumb terminal shows none", async () => {
  const { terminal, stream, written } = screen(80);
  terminal.view(() => {
    throw new Error("made");
  });
  terminal.info("a trial ended");
  await until(() => written() !== "");
  expect(written()).toBe("a trial ended\n");
  expect(stream.listenerCount("resize")).toBe(0);
  const dumb = screen(80, { TERM: "dumb" });
  dumb.terminal.view(() => ["the view"]);
  dumb.terminal.info("a trial ended");
  await until(() => dumb.written() !== "");
  expect(dumb.written()).toBe("a trial ended\n");
});

test.each([
  [{ LANG: "C" }, "a - b~"],
  [{ LC_ALL: "de_DE.ISO-8859-1", LANG: "de_DE.UTF-8" }, "a - b~"],
  [{ LANG: "de_DE.UTF-8" }, "a – b…"],
  [{}, "a – b…"],
])("our dashes and ellipses are those of the locale: %o", async (env, shown) => {
  const { terminal, written } = screen(80, env);
  terminal.info("a – b…");
  terminal.view(() => ["a – b…", "é"]);
  await until(() => written().includes("é"));
  expect(Screen.show(written())).toEqual([shown, shown, "é"]);
  terminal.liveDone();
});

test("a suspended process leaves no view behind, and draws it again when it continues", async () => {
  const { terminal, written } = screen(80);
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  onTestFinished(() => kill.mockRestore());
  await import("log-update");
  terminal.info("a permanent line");
  terminal.view(() => ["the view", "its end"]);
  await until(() => written().includes("the view"));
  process.emit("SIGTSTP");
  expect(kill).toHaveBeenCalledWith(process.pid, "SIGSTOP");
  expect(Screen.show(written())).toEqual(["a permanent line"]);
  process.emit("SIGCONT");
  expect(Screen.show(written())).toEqual(["a permanent line", "the view", "its end"]);
  const listening = process.listenerCount("SIGTSTP");
  terminal.liveDone();
  expect(process.listenerCount("SIGTSTP")).toBe(listening - 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that hides the cursor is what the test looks for
  expect(written()).not.toMatch(/\u001b\[\?25l/);
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
