import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { count } from "../base/format.ts";
import { version } from "../base/package-root.ts";
import type { Arguments, Context } from "../commands/command.ts";
import { extrasOf } from "../commands/extras-of.ts";
import { experimentFile } from "../commands/shipped-experiment.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { makeDemo } from "../dataset/demo/make-demo.ts";
import { type DataFolders, type DatasetIdentity, identifyDataset } from "../dataset/identify-dataset.ts";
import { ensurePrepared } from "../dataset/prepare/ensure-prepared.ts";
import type { PrepareContext } from "../dataset/prepare/prepare-dataset.ts";
import type { ImageSize } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { LocalEngine } from "../engine/local/local-engine.ts";
import { cacheDir } from "../environment/cache-dir.ts";
import { ensureRuntime } from "../environment/ensure-runtime.ts";
import { type ExtraName, ensureExtras } from "../environment/extras.ts";
import type { ReadExperiment, ReadOptions } from "../experiment/examine.ts";
import { hashSources, identifyBackbone } from "../experiment/identity.ts";
import { type Plan, planSweep } from "../experiment/plan.ts";
import { readExperiment } from "../experiment/read-experiment.ts";
import { findTrial } from "../store/sweep-store.ts";
import { leftMs, wholeSeconds } from "./eta.ts";

/** A checked experiment with its plan; nothing has started. */
export interface ReadPlan {
  plan: Plan;
  dataset: DatasetIdentity;
}

/** The plan of an experiment file. @throws CliprpnError bad_input. */
export async function readPlan(args: Arguments, context: Context): Promise<ReadPlan> {
  const seed = args.number("seed");
  const sets = [...args.list("set"), ...(seed === undefined ? [] : [`seeds=[${seed}]`])];
  const file = experimentFile(args.needed("file"), context);
  return planOf(readExperiment(file, sets, context.cwd, readOptions(args, context)), context);
}

/** What experiments are read with: where data sets, weights and models are, and whom to trust. */
export function readOptions(args: Arguments, context: Context): ReadOptions {
  return {
    data: dataFolders(context).data,
    weights: context.env.CLIPRPN_WEIGHTS,
    trustWeights: args.flag("trust-weights"),
    findModel: (name) => findTrial(name, runsFolder(args, context), context.cwd),
  };
}

export async function planOf(read: ReadExperiment, context: Context): Promise<ReadPlan> {
  const cache_dir = cacheDir(context.env);
  const dataset = await identifyDataset(read.experiment.dataset ?? {}, dataFolders(context));
  const backbone = await identifyBackbone(read.experiment.backbone ?? {});
  return {
    plan: planSweep(read, { dataset, backbone, sources_sha256: hashSources(), device: "cpu", cache_dir }),
    dataset,
  };
}

/** The data set, ready at these sizes; the demo is drawn when it is asked for and not there yet. */
export async function ensureDataset(
  dataset: DatasetIdentity,
  sizes: readonly ImageSize[],
  engine: Engine,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const { demo, raw } = dataset;
  if (demo !== undefined && raw !== undefined && !existsSync(join(raw, "demo.json"))) {
    terminal.info("Drawing the demo data set (once, well under two minutes).");
    await makeDemo(raw, demo, (done, total) => terminal.live([`  ${done} of ${total} images`]), signal);
  }
  await ensurePrepared(dataset, sizes, version, prepareContext(engine.call.bind(engine), context));
  terminal.liveDone();
}

/** What preparing a data set tells and asks. */
export function prepareContext(call: PrepareContext["call"], { terminal, signal }: Context): PrepareContext {
  let phase = "";
  let since: { ms: number; done: number } | undefined;
  return {
    call,
    signal,
    onPhase: (text) => {
      phase = text;
      since = undefined;
      terminal.live([phase]);
    },
    onReplaced: ({ id, prepared_at, splits }) => {
      const sentences = splits.reduce((sum, { num_sentences }) => sum + num_sentences, 0);
      terminal.warn(
        `it takes the place of another data set of that name (${id}, ${count(sentences)} sentences, prepared ${prepared_at.slice(0, 10)}); trials on that one can no longer be evaluated`,
      );
    },
    onProgress: (done, total) => {
      since ??= { ms: Date.now(), done };
      const left = leftMs(Date.now() - since.ms, done - since.done, total - done);
      const eta = left === undefined ? "" : `, about ${wholeSeconds(left)} left`;
      terminal.live([`${phase}: ${count(done)} of ${count(total)}${eta}`]);
    },
  };
}

/** Where data sets are: `data/` in the current folder, or CLIPRPN_DATA. */
export function dataFolders({ cwd, env }: Context): DataFolders {
  return { data: resolve(cwd, env.CLIPRPN_DATA ?? "data"), cache: cacheDir(env) };
}

/**
 * An engine on this machine, its Python set up, with what the trials need beside. The caller closes it.
 *
 * @param trials decide the number of threads and which of the optional packages are needed.
 */
export async function openEngine(
  args: Arguments,
  context: Context,
  trials: readonly TrialSpec[] = [],
  extras: ExtraName[] = extrasOf(trials),
): Promise<Engine> {
  const { terminal, env, signal } = context;
  const surroundings = { python: args.text("python"), terminal, env, signal };
  const runtime = await ensureRuntime({ environment: "runtime", ...surroundings });
  await ensureExtras(runtime, extras, surroundings);
  const { python, kind } = runtime;
  const logs = join(cacheDir(env), "logs");
  mkdirSync(logs, { recursive: true });
  const timeout = args.number("trial-timeout");
  return new LocalEngine({
    python,
    device: args.text("device") ?? "auto",
    numThreads: trials[0]?.num_threads ?? null,
    numSlots: Math.max(1, args.number("workers") ?? 1),
    logFile: join(logs, `worker-${process.pid}.log`),
    signal,
    // Clusters' modules put packages there; our own environment is complete without.
    extraPythonPath: kind === "own" ? env.PYTHONPATH : undefined,
    trialTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
    // Said anew with every command: no file can say it.
    env: { CLIPRPN_TRUST_WEIGHTS: args.flag("trust-weights") ? "1" : "" },
  });
}

/** The runs folder, made when it is not there. @throws an error of the file system when nothing can be written into it. */
export function writableRunsFolder(args: Arguments, context: Context): string {
  const folder = runsFolder(args, context);
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK);
  return folder;
}

export function runsFolder(args: Arguments, { cwd }: Context): string {
  return resolve(cwd, args.text("runs-dir") ?? "runs");
}
