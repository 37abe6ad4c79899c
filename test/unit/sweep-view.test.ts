import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/base/display-width.ts";
import { sweepView } from "../../src/sweep/view/sweep-view.ts";
import { type MadeView, madeView } from "../helpers/made-view.ts";

const num = (count: number, name = "configuration"): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

const views: [what: string, made: MadeView][] = [
  ["nothing has finished", { running: ["film", "token"] }],
  [
    "some trials are done",
    { running: ["film"], numSlots: 2, completed: ["film", "token"], failed: ["token"] },
  ],
  ["intervals", { running: ["film"], completed: num(20), hasIntervals: true }],
  ["32 slots, 100 configurations and 50 failures", { running: num(32), completed: num(50), failed: num(50) }],
  [
    "long labels",
    {
      running: num(2, "x".repeat(300)),
      completed: num(2, "y ".repeat(150)),
      failed: num(2, "z".repeat(300)),
    },
  ],
  [
    "wide letters",
    {
      running: num(2, "融合方式の比較".repeat(9)),
      completed: num(2, "👩‍🔬".repeat(60)),
      failed: num(1, "é".repeat(200)),
    },
  ],
  [
    "control characters",
    { running: ["a\n\u001b[2Jb\tc"], completed: ["\u001b[31mred\r\n"], failed: ["\u202Eabc\n\n"] },
  ],
];
const sizes = [
  [80, 24],
  [60, 15],
  [120, 40],
  [200, 60],
  [20, 5],
  [1, 1],
] as const;

describe.each(views)("%s", (_, made) => {
  test.each(sizes)("fits into %i columns and %i rows", (columns, rows) => {
    const lines = sweepView(madeView(made), { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

test("80 columns have room for every block and column", () => {
  const view = madeView({
    running: ["film", "token"],
    numSlots: 3,
    completed: ["film", "token"],
    failed: ["other"],
  });
  expect(sweepView(view, { columns: 80, rows: 24 })).toEqual([
    "made: 12 of 40 trials done, 1 of them failed",
    "about 12 min 5 s left (9 min 40 s to 15 min 6 s)",
    "",
    "slot  trial                             epoch     loss  val Acc@0.5    time left",
    "   0  film, seed 0                       2/10    0.513       53.1 %    3 min 2 s",
    "   1  token, seed 1                   CLIP image features 40 %                 –",
    "   2  idle",
    "",
    "completed, on val                       seeds  mean Acc@0.5  min to max of seeds",
    "  film                                 3 of 3        62.3 %     61.2 % to 63.4 %",
    "  token                                1 of 3        62.2 %                    –",
    "",
    "failed",
    "  other, seed 0: loss_not_finite: expected a finite loss, found NaN at step 3",
  ]);
});

test("while a sweep runs, the leaderboard has intervals; a wide one has the range of the seeds, too", () => {
  const view = madeView({
    running: ["film"],
    completed: ["film", "token", "boxes"],
    numSlots: 1,
    hasIntervals: true,
  });
  const board = (columns: number): string[] => sweepView(view, { columns, rows: 24 }).slice(-4);
  expect(board(80)).toEqual([
    "completed, on val                         seeds  mean Acc@0.5            95 % CI",
    "  film                                   3 of 3        62.3 %   59.3 % to 65.3 %",
    "  token                                  1 of 3        62.2 %                  –",
    "  boxes (upper bound)                    3 of 3        62.1 %   59.1 % to 65.1 %",
  ]);
  expect(board(100)[0]).toMatch(/95 % CI {2}min to max of seeds$/);
  expect(board(100)[1]).toMatch(/ 59\.3 % to 65\.3 % +61\.2 % to 63\.4 %$/);
});

test("a failure of a trial with a long name still shows its error", () => {
  const view = madeView({ failed: [`${"a".repeat(200)} B`] });
  expect(sweepView(view, { columns: 80, rows: 24 }).at(-1)).toMatch(
    /a…a+ B, seed 0: loss_not_finite: expected a /,
  );
});

test("before anything is known, the blocks are where they stay", () => {
  const { status, ...view } = madeView({ running: ["film"], numSlots: 2 });
  const unknown = { ...view, status: { ...status, left_ms: null, left_range_ms: null } };
  const before = sweepView(unknown, { columns: 80, rows: 24 });
  const later = sweepView(madeView({ running: ["film"], numSlots: 2, completed: ["film"] }), {
    columns: 80,
    rows: 24,
  });
  expect(before[1]).toBe("time left: not known yet");
  for (const title of [/^slot /, /^completed/])
    expect(before.findIndex((line) => title.test(line))).toBe(later.findIndex((line) => title.test(line)));
  expect(before.length).toBe(later.length);
});

test("60 columns and 13 rows have room for two slots, two configurations and a failure", () => {
  const made = { running: ["film", "token"], completed: ["film", "token"], failed: ["film", "token"] };
  expect(sweepView(madeView(made), { columns: 60, rows: 13 })).toEqual([
    "made: 12 of 40 trials done, 2 of them failed",
    "about 12 min 5 s left (9 min 40 s to 15 min 6 s)",
    "slot  trial                  epoch  val Acc@0.5    time left",
    "   0  film, seed 0            2/10       53.1 %    3 min 2 s",
    "   1  token, seed 1        CLIP image…ures 40 %            –",
    "completed, on val      seeds  mean Acc@0.5  min–max of seeds",
    "  film                3 of 3        62.3 %  61.2 % to 63.4 %",
    "  token               1 of 3        62.2 %                 –",
    "failed, last 1 of 2",
    "  token, seed 0: loss_not_finite: expected a finite loss, f…",
  ]);
});

test("what has no room is counted", () => {
  const view = madeView({ running: num(32), completed: num(50), failed: num(50) });
  const text = sweepView(view, { columns: 80, rows: 24 }).join("\n");
  const numSlots = text.match(/^ +\d+ {2}config/gm)?.length ?? 0;
  const numConfigurations = text.match(/^ {2}config.* of 3 /gm)?.length ?? 0;
  expect(numSlots).toBeGreaterThan(2);
  expect(numConfigurations).toBeGreaterThan(2);
  expect(text).toContain(`and ${32 - numSlots} more slots`);
  expect(text).toContain(`and ${50 - numConfigurations} more configurations`);
  expect(text).toContain("failed, last 1 of 50");
  expect(text).toContain("configuration 49, seed 0: loss_not_finite");
});

test("a slot that is not shown is counted as idle only if no trial runs in it", () => {
  const view = madeView({ running: num(20), numSlots: 32 });
  const text = sweepView(view, { columns: 80, rows: 24 }).join("\n");
  expect(text).toMatch(/and \d+ more slots, 12 of them idle/);
});

test("labels that differ at their ends stay different when they are cut", () => {
  const labels = num(3, `CLIP, ${"crop of the box and its surroundings, ".repeat(3)}`);
  const lines = sweepView(madeView({ running: labels, completed: labels }), { columns: 80, rows: 40 });
  for (const label of [/^ +0 .*….* 0, seed 0/, /^ {2}CLIP.*….* 0 /, /^ {2}CLIP.*….* 1 /, /^ {2}CLIP.*….* 2 /])
    expect(lines.filter((line) => label.test(line)).length, String(label)).toBe(1);
});

test("a narrow view leaves out the loss, a wide one has the ids", () => {
  const view = madeView({ running: ["film"] });
  const title = (columns: number): string =>
    sweepView(view, { columns, rows: 24 }).find((line) => line.startsWith("slot")) ?? "";
  expect(title(60)).toMatch(/epoch +val Acc@0\.5 +time left$/);
  expect(title(80)).not.toContain(" id ");
  expect(title(100)).toMatch(/trial +id +epoch +loss +val Acc@0\.5 +time left$/);
  expect(title(120)).toMatch(/val Acc@0\.5 +time\/epoch +time left$/);
  expect(sweepView(view, { columns: 120, rows: 24 })[4]).toMatch(/ 53\.1 % +1 s +3 min 2 s$/);
  expect(sweepView({ ...view, hasIds: true }, { columns: 80, rows: 24 })[4]).toContain(" aaaaaaaa ");
});

test("a file of an earlier version, without the new keys, is shown too", () => {
  const { status, ...view } = madeView({ running: ["film"], completed: ["film"] });
  const { left_range_ms: _, num_slots: __, leaderboard: ___, ...old } = status;
  const lines = sweepView({ ...view, status: old }, { columns: 80, rows: 24 });
  expect(lines).toContain("about 12 min 5 s left");
  expect(lines.join("\n")).toMatch(/film, seed 0 .*53\.1 %/);
});

test("on other machines, a slot is named by its node, and two lines are about the workers", () => {
  const view = madeView({ running: ["film", "token"], numSlots: 3 });
  const workers = ["n1", "a-node-with-a-long-name", "n2"].map((node, slot) => ({
    name: node,
    worker: `${node} cuda:0, pid 7`,
    node,
    slot,
    state: slot < 2 ? ("running" as const) : ("idle" as const),
  }));
  const status = { ...view.status, workers, missing_workers: "1 job in SLURM's queue (Priority)" };
  const lines = sweepView({ ...view, status }, { columns: 80, rows: 24 });
  expect(lines.slice(2, 4)).toEqual([
    "3 workers on n1, a-node-with-a-long-name and n2, 2 busy",
    "1 job in SLURM's queue (Priority)",
  ]);
  const table = lines.filter((line) => /^ *(node|n1|a-nod|n2) */.test(line) || /^a-n.*name/.test(line));
  expect(table[0]).toMatch(/^ {8}node {2}trial/);
  expect(table[1]).toMatch(/^ {10}n1 {2}film/);
  expect(table[2]).toMatch(/^a-n\S{5,9} {2}token/);
  expect(table[3]).toMatch(/^ {10}n2 {2}idle/);
});
