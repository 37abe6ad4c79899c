import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { groupBy } from "../base/group-by.ts";
import { replaceFile } from "../base/replace-file.ts";
import { makeTempFolder, removeTempFolder } from "../base/temp-folder.ts";
import { codeHashes } from "../contract/code-identity.ts";
import { EXIT } from "../contract/errors.ts";
import type {
  BaselineSpec,
  BridgeMethods,
  Preflight,
  SweepProjection,
  TrialSpec,
} from "../contract/generated/types.ts";
import { datasetsOf } from "../dataset/joint.ts";
import { isPrepared, readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { version } from "../package-root.ts";
import { render } from "../report/markdown.ts";
import { ensureDataset, warnOfData } from "../sweep/datasets.ts";
import { distinctSizes } from "../sweep/image-sizes.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { prepareTargets } from "../sweep/prepare/prepare-targets.ts";
import { checkSplits } from "../sweep/prepare/prepare-trials.ts";
import type { ReadPlan } from "../sweep/read-plan.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { liveEvent } from "../sweep/view/phases.ts";
import { checkBoxes } from "./boxes.ts";
import { type CheckResult, runCheck } from "./check.ts";
import { checkCounts } from "./counts.ts";
import { checkLines, preflightBlocks } from "./report.ts";
import { checkSpeed } from "./speed.ts";

/** Files of a preflight, in its folder. */
const fileNames = {
  report: "PREFLIGHT.md",
  json: "preflight.json",
  boxes: "preflight-boxes.png",
  traceback: "preflight-traceback.txt",
};

export interface PreflightOptions {
  /** For the files; created if missing. */
  folder: string;
  /** Ends the training of the check `overfit`. */
  overfit_limit_s: number;
  /** Measure also what an earlier preflight has measured. */
  measureAgain: boolean;
}

/**
 * Prepares the dataset, runs all checks, and writes PREFLIGHT.md when they have ended. Prints a line for each check, and the file.
 *
 * @returns the exit code: whether no check failed.
 * @throws CliprpnError interrupted; data_invalid and others if the dataset cannot be prepared.
 */
export async function runPreflight(
  read: ReadPlan,
  options: PreflightOptions,
  run: RunContext,
): Promise<number> {
  const openAnother = (): Promise<Engine> => openEngine(run, read.plan.trials);
  const started = performance.now();
  const engine = await openAnother();
  const scratch = makeTempFolder();
  try {
    await engine.device(); // Waits until the worker has started.
    const start_ms = performance.now() - started;
    return await preflightWith({ engine, openAnother, start_ms, scratch }, read, options, run);
  } finally {
    run.terminal.liveDone();
    await engine.close();
    removeTempFolder(scratch);
  }
}

/** What a preflight works with. */
export interface Workplace {
  engine: Engine;
  /** Starts another worker, which the caller closes. */
  openAnother: () => Promise<Engine>;
  /** What starting the first one took. */
  start_ms: number;
  /** An existing folder for temporary files. */
  scratch: string;
}

/** The same, with an engine and an existing folder for temporary files. */
export async function preflightWith(
  workplace: Workplace,
  read: ReadPlan,
  options: PreflightOptions,
  run: RunContext,
): Promise<number> {
  const { plan, dataset } = read;
  const { engine } = workplace;
  const device = await engine.device();
  await ensureDataset(dataset, distinctSizes(plan.trials), engine, run);
  const splits = readFacts(dataset.root).splits.map(({ split }) => split);
  checkSplits(dataset.root, splits, plan.trials);
  warnOfData(dataset, run.terminal);
  await prepareTargets(read.targets, distinctSizes(plan.trials), engine, run);
  const checked = await runChecks(read, device, workplace, options, run);
  const preflight: Preflight = {
    schema_version: 1,
    made_at: new Date().toISOString(),
    command: run.commandLine,
    cliprpn_version: version,
    sources_sha256: codeHashes().cliprpn,
    name: plan.name,
    question: plan.question,
    dataset: { id: dataset.id, name: dataset.name, split_by: dataset.split_by },
    backbone: firstOf(plan.trials).backbone,
    machine: await engine.call("describe_machine", {}),
    node_version: process.versions.node,
    memory_bytes: totalmem(),
    num_cores: availableParallelism(),
    checks: checked.results,
    projection: checked.projection,
  };
  write(preflight, checked, options.folder);
  run.terminal.result(run.json ? JSON.stringify(preflight) : join(options.folder, fileNames.report));
  return checked.results.some(({ status }) => status === "failed") ? EXIT.some_failed : EXIT.good;
}

type PythonCheck = BridgeMethods["preflight_check"]["params"]["check"];

interface Checked {
  results: CheckResult[];
  projection: SweepProjection | null;
  /** The drawn boxes; undefined if they could not be drawn. */
  boxes: string | undefined;
  tracebacks: string[];
}

async function runChecks(
  read: ReadPlan,
  device: string,
  { engine, openAnother, start_ms, scratch }: Workplace,
  { overfit_limit_s, measureAgain }: PreflightOptions,
  run: RunContext,
): Promise<Checked> {
  const { plan, dataset, targets } = read;
  const { terminal, signal } = run;
  const checked: Checked = { results: [], projection: null, boxes: undefined, tracebacks: [] };
  const check = async (name: CheckResult["check"], find: Parameters<typeof runCheck>[1]): Promise<void> => {
    terminal.live([`checking ${name}`]);
    const { result, traceback } = await runCheck(name, find, fileNames.traceback, signal);
    checked.results.push(result);
    if (traceback !== undefined) checked.tracebacks.push(traceback);
    terminal.liveDone();
    if (!run.json) terminal.result(checkLines(result));
  };
  const first = { ...firstOf(plan.trials), device };
  const options = { signal, onEvent: liveEvent(terminal) };

  const inPython = (name: PythonCheck, spec: TrialSpec): Promise<void> =>
    check(name, () =>
      engine.call("preflight_check", { check: name, spec, scratch_dir: scratch, overfit_limit_s }, options),
    );

  await inPython("weights", first);
  const parts = dataset.joint === undefined ? [dataset] : datasetsOf(dataset.joint);
  const all = [...parts, ...targets.map((target) => target.dataset)];
  const prepared = new Map(all.filter(({ root }) => isPrepared(root)).map(({ root, id }) => [id, root]));
  await check("counts", async () => checkCounts([...prepared.values()].map(readFacts)));
  await check("boxes", async () => {
    const file = join(scratch, fileNames.boxes);
    const finding = await checkBoxes(dataset.root, file, engine);
    if (existsSync(file)) checked.boxes = file; // Without images, nothing is drawn.
    return finding;
  });
  await inPython("crops", first);
  await inPython("parity", first);
  await inPython("overfit", first);
  for (const baseline of detectorsOf(plan.trials)) await inPython("baseline", { ...baseline, device });
  await check("speed", async () => {
    const start = { ms: start_ms, low_ms: start_ms, high_ms: start_ms };
    const speed = { read, device, scratch_dir: scratch, engine, openAnother, start, measureAgain, run };
    const { finding, projection } = await checkSpeed(speed);
    checked.projection = projection;
    return finding;
  });
  return checked;
}

/** A baseline of each detector; the ranking of annotated objects is a check of its own. */
function detectorsOf(trials: readonly TrialSpec[]): BaselineSpec[] {
  const specs = trials.flatMap((spec) => (spec.kind === "baseline" ? [spec] : []));
  const detecting = specs.filter(
    ({ baseline }) => !["gt_boxes", "whole_image"].includes(baseline.detector.kind),
  );
  return [...groupBy(detecting, ({ baseline }) => JSON.stringify(baseline.detector)).values()].map(
    ([first]) => first,
  );
}

/** The first trial that trains a model; the first trial of an experiment with baselines only. */
function firstOf(trials: readonly TrialSpec[]): TrialSpec {
  const first = trials.find(({ kind }) => kind === "cliprpn") ?? trials[0];
  if (first === undefined) throw new Error("an experiment has at least one trial");
  return first;
}

/** Writes all files; those of an earlier preflight are replaced. */
function write(preflight: Preflight, { boxes, tracebacks }: Checked, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const place = (name: string): string => join(folder, name);
  for (const name of [fileNames.boxes, fileNames.traceback]) rmSync(place(name), { force: true });
  if (boxes !== undefined) replaceFile(place(fileNames.boxes), readFileSync(boxes));
  if (tracebacks.length > 0) replaceFile(place(fileNames.traceback), tracebacks.join("\n"));
  replaceFile(place(fileNames.json), `${JSON.stringify(preflight, null, 2)}\n`);
  const image = boxes === undefined ? undefined : fileNames.boxes;
  replaceFile(place(fileNames.report), render(preflightBlocks(preflight, image)));
}
