/** Rows of this benchmark: tools that run the same trials on the same cluster. */
import { count } from "../../../src/base/format.ts";
import type { Row } from "../rows.ts";
import { median } from "../statistics.ts";
import { type Timing, type Tool, type TrialKind, timeAfterKill } from "./measured-trials.ts";

/** A killed worker's trial runs again, at most so much later. */
const againS = 3;

const numKills = 3;

/** A tool's timings, one for each of its runs. */
export interface Timed {
  tool: Tool;
  timings: Timing[];
}

/**
 * @param ours and `others`: their runs with the same index are a pair, whose ratio counts.
 * @param numWorkers trials at the same time.
 */
export function trialRow(
  where: string,
  kind: TrialKind,
  numWorkers: number,
  [ours, others]: [Timed, Timed],
): Row {
  const ratios = ours.timings.map(
    ({ trial_ms }, pair) => (others.timings[pair]?.trial_ms ?? Number.NaN) / trial_ms,
  );
  const each = ratios.length === 1 ? "" : ` (${ratios.map((ratio) => ratio.toFixed(1)).join(", ")})`;
  return {
    what: `a trial that ${kind === "torch" ? "imports torch" : "does nothing"}, ${numWorkers} at a time on ${where}, ${ours.tool.name}; baseline: ${others.tool.name}`,
    ours: shown(ours.timings),
    baseline: shown(others.timings),
    result: `${median(ratios).toFixed(1)} times as many a second${each}`,
    target: "none",
  };
}

function shown(timings: readonly Timing[]): string {
  const trials = timings.map(({ trial_ms }) => trial_ms);
  const each = trials.length === 1 ? "" : ` of ${trials.map((ms) => ms.toFixed(1)).join(", ")}`;
  const command_s = median(timings.map((timing) => timing.command_s));
  return `${median(trials).toFixed(1)} ms${each} (${count(timings[0]?.numTrials ?? 0)} trials; the whole command ${command_s.toFixed(1)} s)`;
}

/** What a tool made of killed workers, and when their trials started again. */
export interface Killed {
  numOthers: number;
  seconds: number[];
}

/** @param numOthers workers that are idle meanwhile. */
export async function measureKills(
  tool: Tool,
  numOthers: number,
  kill: (folder: string) => void,
  folder: string,
): Promise<Killed> {
  const seconds: number[] = [];
  for (let number = 0; number < numKills; number += 1)
    seconds.push(await timeAfterKill(tool, numOthers, kill, folder));
  return { numOthers, seconds };
}

/** @param onWhat a trial starts again on, if no other worker is there: "a new job". */
export function killRow(where: string, onWhat: string, killed: Killed, baseline: string): Row {
  const { numOthers, seconds } = killed;
  const worst = Math.max(...seconds);
  return {
    what: `${where}: a killed worker's trial has started again, ${numOthers > 0 ? "beside idle workers" : `on ${onWhat}, as no other worker is there`}`,
    ours: killedText(killed),
    baseline,
    result: `${worst.toFixed(2)} s at most`,
    ...(numOthers > 0 ? { target: `<= ${againS} s`, met: worst <= againS } : { target: "none" }),
  };
}

export function killedText({ seconds }: Killed): string {
  return `${median(seconds).toFixed(2)} s (${seconds.map((each) => each.toFixed(2)).join(", ")})`;
}
