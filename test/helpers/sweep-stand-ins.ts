/**
 * Replaces the slow modules of a sweep: the environment's engine, the checks of the data and the drawing of charts. `runSweep`
 * then takes milliseconds, with the same files below the runs folder.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { replaceFile } from "../../src/base/replace-file.ts";
import type { BridgeMethods, TrialSpec } from "../../src/contract/generated/types.ts";
import type { Engine, LaunchOptions } from "../../src/engine/engine.ts";
import type { Attempt, AttemptEnd, Launcher } from "../../src/engine/launcher.ts";
import type { Charts } from "../../src/report/charts/draw-charts.ts";
import type { ReportImage, ReportInput } from "../../src/report/report-input.ts";
import { madePreparation } from "./made-preparation.ts";
import { madeOutcome, madeSummary } from "./report-input.ts";
import { StandInLauncher } from "./stand-in-launcher.ts";

/** In place of sweep/open-engine.ts. */
export async function openEngine(): Promise<Engine> {
  return new MadeEngine();
}

/** Of the same file: only workers of a cluster need them. */
export function engineOptions(): never {
  throw new Error("expected no worker of a cluster");
}

/** In place of sweep/prepare/prepare-trials.ts. */
export async function prepareTrials(): Promise<Map<string, number>> {
  return new Map();
}

/** In place of report/charts/draw-charts.ts: two images; another number of trials has another one. */
export async function drawCharts({ trials }: ReportInput, folder: string, place: string): Promise<Charts> {
  const [leaderboard, curves] = ["leaderboard", `curves-of-${trials.length}`].map((name) => {
    const file = `${place}/${name}.svg`;
    replaceFile(join(folder, file), "<svg/>");
    return { file, alt: name };
  }) as [ReportImage, ReportImage];
  return { leaderboard, boxes: undefined, subsets: undefined, curves };
}

/** Runs trials one after the other in this process; each writes its files as Python does. */
class MadeEngine implements Engine {
  launch(options: LaunchOptions): Launcher {
    return new StandInLauncher(options, runTrial, prepare);
  }

  async call<M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]> {
    return this.#call(method, params as never) as BridgeMethods[M]["result"];
  }

  async device(): Promise<string> {
    return "cpu";
  }

  async close(): Promise<void> {}

  #call(method: string, params: BridgeMethods["evaluate"]["params"] & BridgeMethods["summarize"]["params"]) {
    if (method === "summarize") {
      const { split, groups } = params;
      const settings = groups.map(({ label, trials }) => ({ label, acc: trials.map(() => 0.5) }));
      return madeSummary(settings, { split });
    }
    if (method === "intervals_so_far") return { intervals: [] };
    if (method !== "evaluate") throw new Error(`no stand-in for ${method}`);
    const { out_dir, split } = params;
    mkdirSync(out_dir, { recursive: true });
    writeLikePython(join(out_dir, `predictions-${split}.parquet`), randomBytes(99));
    writeLikePython(join(out_dir, `metrics-${split}.json`), "{}");
    return madeOutcome(params.spec as TrialSpec).metrics;
  }
}

const prepare: NonNullable<Launcher["prepare"]> = async (preparation, { onStarted }) => {
  onStarted();
  const end = madePreparation(preparation);
  if (end.how === "outcome")
    writeLikePython(join(preparation.folder, "outcome.json"), JSON.stringify(end.outcome));
  return end;
};

/** Each run of a trial has another model. */
function runTrial({ spec, folder }: Attempt): AttemptEnd {
  const outcome = madeOutcome(spec);
  writeLikePython(join(folder, "best.safetensors"), randomBytes(99));
  writeLikePython(join(folder, "predictions-val.parquet"), randomBytes(99));
  writeLikePython(join(folder, "outcome.json"), JSON.stringify(outcome));
  return { how: "outcome", outcome };
}

function writeLikePython(file: string, content: Buffer | string): void {
  const staging = join(dirname(file), `.${basename(file)}.${randomBytes(8).toString("hex")}.new`);
  writeFileSync(staging, content, { flag: "wx" });
  renameSync(staging, file);
}

/** In place of contract/check.ts: the test checks what was written, and compiling the schemas takes longer than the sweep. */
export function check(_name: string, value: unknown): unknown {
  return value;
}

export function findSchemaErrors(_name: string, value: unknown): string[] {
  return value === undefined ? ["a line that a kill left incomplete"] : [];
}
