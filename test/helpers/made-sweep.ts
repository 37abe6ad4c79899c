import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { ClipRpnSpec, Split } from "../../src/contract/generated/types.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import type { EvaluationTarget } from "../../src/sweep/predict-on.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { preparedFacts } from "./dataset-stats.ts";
import { recordingTerminal } from "./recording-terminal.ts";
import { madeSpec } from "./report-input.ts";

/** What a sweep is asked for. */
export interface Ask {
  name: string;
  question?: string;
  /** "film 0", or "mine 0" for a person's fusion: a label and a seed. */
  trials: string[];
  split?: Split;
  /** Hash of the code that runs the trials; the current code by default. */
  code?: string;
  acceptStale?: boolean;
  rerunStale?: boolean;
  targets?: EvaluationTarget[];
}

/** Writes the data and the fusion that the trials need. */
export function makeWork(work: string): void {
  const data = join(work, "data");
  mkdirSync(data, { recursive: true });
  const splits = (["val", "test"] as const).map((split) => ({
    split,
    num_images: 10,
    num_refs: 10,
    num_sentences: 10,
  }));
  writeFacts(data, { ...preparedFacts, id: "made", name: "mine", split_by: "umd", splits });
  writeFileSync(join(work, "mine.py"), fusionSource);
}

export const runsIn = (work: string): string => join(work, "runs");

/**
 * `cliprpn sweep` with the stand-ins of sweep-stand-ins.ts.
 *
 * @returns what it said.
 */
export async function runMadeSweep(work: string, ask: Ask): Promise<string[]> {
  const terminal = recordingTerminal();
  const { name, question = "Which is best?" } = ask;
  const plan = {
    name,
    question,
    trials: ask.trials.map((trial) => ({
      ...specOf(trial, work),
      ...(ask.code && { sources_sha256: ask.code }),
    })),
    published: [],
    keep_models: "all" as const,
    alpha: 0.05,
  };
  const dataset = { id: "made", name: "mine", root: join(work, "data"), split_by: "umd" as const };
  const experiment = { name, question, dataset: { name: dataset.name } };
  await runSweep(
    {
      experiment,
      plan,
      dataset,
      targets: ask.targets ?? [],
      source: { file: `${name}.json`, sets: [] },
      split: ask.split ?? "val",
    },
    {
      terminal,
      cwd: work,
      env: { CLIPRPN_CACHE: join(work, "cache") },
      signal: new AbortController().signal,
      commandLine: `cliprpn sweep ${name}.json`,
      runsDir: runsIn(work),
      device: "cpu",
      python: undefined,
      numWorkers: 1,
      trialTimeoutMs: undefined,
      trustWeights: false,
      acceptStale: ask.acceptStale ?? false,
      rerunStale: ask.rerunStale ?? false,
      retryFailed: false,
      json: false,
    },
  );
  return terminal.lines;
}

/** The spec of a trial, with the current code. */
export function specOf(trial: string, work: string): ClipRpnSpec {
  const [label = "", seed = ""] = trial.split(" ");
  const spec = madeSpec(label, Number(seed));
  const fusion = {
    kind: "file" as const,
    file: `${join(work, "mine.py")}:Mine`,
    params: {},
    source_sha256: createHash("sha256").update(fusionSource).digest("hex"),
  };
  return {
    ...spec,
    sources_sha256: codeHashes().cliprpn,
    dataset: { ...spec.dataset, root: join(work, "data") },
    settings: label === "mine" ? { ...spec.settings, fusion } : spec.settings,
  };
}

const fusionSource = "class Mine: pass\n";
