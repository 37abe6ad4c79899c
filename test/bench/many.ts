/** What many trials cost the command line: the plan, `list`, `status`, each event of a running trial, and the report. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { count } from "../../src/base/format.ts";
import { render } from "../../src/report/markdown.ts";
import { SweepProgress } from "../../src/sweep/view/sweep-progress.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { allBlocks } from "../helpers/report-blocks.ts";
import { madeAttempt, madeInput } from "../helpers/report-input.ts";
import { listRow } from "./many-list.ts";
import { statusRow } from "./many-status.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";
import { median } from "./statistics.ts";

const numRounds = 5;

/** Each pair of sizes is measured in turns, so that other load affects both. */
export async function manyRows(folder: string): Promise<Row[]> {
  return [await planRow(folder), await listRow(folder), await statusRow(folder), etaRow(), reportRow()];
}

async function planRow(folder: string): Promise<Row> {
  const [few, many] = [planFile(folder, 500), planFile(folder, 5000)];
  const few_s: number[] = [];
  const many_s: number[] = [];
  for (let round = 0; round < numRounds; round += 1) {
    few_s.push(await dryRunSeconds(few, 1000));
    many_s.push(await dryRunSeconds(many, 10_000));
  }
  const [small, large] = [median(few_s), median(many_s)];
  return {
    what: "`sweep --dry-run` of 10,000 trials: the whole command, which reads, checks, plans and prints; baseline: 1,000 trials",
    ours: `${large.toFixed(2)} s`,
    baseline: `${small.toFixed(2)} s`,
    result: `${large.toFixed(2)} s`,
    target: "<= 2 s",
    met: large <= 2,
  };
}

/** An experiment with this many configurations and two seeds. */
function planFile(folder: string, numSettings: number): string {
  const file = join(folder, `many-${numSettings}.json`);
  const rates = Array.from({ length: numSettings / 20 }, (_, index) => (index + 1) / 1e5);
  const thresholds = Array.from({ length: 20 }, (_, index) => (index + 30) / 100);
  const vary = { "training.learning_rate": rates, "rpn.nms_thresh": thresholds };
  writeFileSync(file, JSON.stringify({ name: "many", question: "Which is best?", vary, seeds: [0, 1] }));
  return file;
}

async function dryRunSeconds(file: string, numTrials: number): Promise<number> {
  const started = performance.now();
  const { stdout } = await execa(process.execPath, [cli, "sweep", file, "--dry-run"]);
  const duration_s = (performance.now() - started) / 1000;
  const found = /^([\d,]+) trials, many; nothing was started$/m.exec(stdout)?.[1]?.replaceAll(",", "");
  if (Number(found) !== numTrials) throw new Error(`expected ${numTrials} planned trials, found ${found}`);
  return duration_s;
}

function etaRow(): Row {
  const [few, many] = [halfDone(50), halfDone(5000)];
  const [few_us, many_us]: number[][] = [[], []];
  for (let round = 0; round < numRounds; round += 1) {
    few_us?.push(few());
    many_us?.push(many());
  }
  const [small, large] = [median(few_us ?? []), median(many_us ?? [])];
  return flatRow({
    what: "an event of a trial, with the sweep's remaining time: 5,000 trials of as many configurations; baseline: 50 of 50",
    ours: `${large.toFixed(1)} µs`,
    baseline: `${small.toFixed(1)} µs`,
    ratio: large / small,
  });
}

/** A sweep with half of its trials done. @returns a function that measures an event, in µs. */
function halfDone(num: number): () => number {
  const { trials } = madeInput(settings(num, 1));
  const terminal = makeTerminal({ stdout: { write: () => true }, stderr: { write: () => true } });
  const waiting = trials.map(({ spec }) => spec);
  const progress = new SweepProgress(terminal, {
    name: "many",
    waiting,
    total: num,
    numSlots: 1,
    json: false,
  });
  const attempts = trials.map(madeAttempt);
  const event = (index: number, done: number): void => {
    const attempt = attempts[index];
    if (attempt !== undefined)
      progress.event(attempt, 0, { type: "progress", phase: "training", done, total: numEvents });
  };
  for (const [index, attempt] of attempts.slice(0, num / 2).entries()) {
    progress.started(attempt, 0);
    event(index, 1);
    progress.finished(attempt, 0, attempt.outcome(), 1000);
  }
  const next = attempts[num / 2];
  if (next !== undefined) progress.started(next, 0);
  return () => {
    const started = performance.now();
    for (let done = 1; done <= numEvents; done += 1) event(num / 2, done);
    return (1000 * (performance.now() - started)) / numEvents;
  };
}

const numEvents = 5000;

function reportRow(): Row {
  const [fewInput, manyInput] = [madeInput(settings(200, 2)), madeInput(settings(2000, 2))];
  const few_ms: number[] = [];
  const many_ms: number[] = [];
  for (let round = 0; round < numRounds; round += 1) {
    few_ms.push(reportMs(fewInput));
    many_ms.push(reportMs(manyInput));
  }
  const [small, large] = [median(few_ms) / 200, median(many_ms) / 2000];
  return flatRow({
    what: "text of the report per configuration: 2,000 with two seeds; baseline: 200 with two seeds",
    ours: `${large.toFixed(2)} ms (${count(Math.round(large * 2000))} ms in total)`,
    baseline: `${small.toFixed(2)} ms (${count(Math.round(small * 200))} ms in total)`,
    ratio: large / small,
  });
}

function reportMs(input: ReturnType<typeof madeInput>): number {
  const image = { file: "chart.svg", alt: "a chart" };
  const charts = { leaderboard: image, boxes: image, subsets: image, curves: image };
  const started = performance.now();
  render(allBlocks(input, charts, { groups: [], unreadable: [] }, { images: [], unreadable: [] }));
  return performance.now() - started;
}

/** Half of them trained, half baselines, with falling accuracy. */
function settings(num: number, numSeeds: number): Parameters<typeof madeInput>[0] {
  return Array.from({ length: num }, (_, index) => {
    const acc = 0.9 - index / (2 * num);
    return index % 2 === 0
      ? { label: `film ${index}`, acc: new Array<number>(numSeeds).fill(acc) }
      : {
          label: `YOLO, crop, at most ${index} boxes`,
          acc: [acc],
          baseline: { best_box: 0.95, max_boxes: index },
        };
  });
}

/** Twice leaves room for the caches of the processor. */
function flatRow({ ratio, ...row }: Pick<Row, "what" | "ours" | "baseline"> & { ratio: number }): Row {
  return { ...row, result: `${ratio.toFixed(2)} times`, target: "<= 2 times", met: ratio <= 2 };
}
