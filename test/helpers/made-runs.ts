import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { JournalEntry, TrialOutcome, TrialSpec } from "../../src/contract/generated/types.ts";
import { trialIdentityOf } from "../../src/contract/trial-identity.ts";
import { placesOf } from "../../src/store/compose-spec.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { madeOutcome } from "./report-input.ts";

/** An attempt as its worker and its controller leave it. */
export interface MadeAttempt {
  state?: "completed" | "failed" | "unfinished";
  /** Acc@0.5 on val. */
  acc?: number;
  /** Hash of the code that ran it; the current code by default. */
  code?: string;
  /** False for a completed attempt that nobody accepted. */
  accepted?: boolean;
  /** Names of its models, without `.safetensors`. */
  models?: string[];
  /** Size of each model. */
  bytes?: number;
}

/** Hash of another version of the code. */
export const oldCode = "b".repeat(64);

/** The hash of the current code. */
export function currentCodeOf({ kind }: Pick<TrialSpec, "kind">): string {
  return codeHashes()[kind];
}

/** Writes an attempt of a trial, and the trial if it is new. Quick: nothing is synced. @returns its number. */
export function addAttempt(runsDir: string, spec: TrialSpec, made: MadeAttempt = {}): number {
  const {
    state = "completed",
    acc = 0.5,
    code = currentCodeOf(spec),
    accepted = state === "completed",
  } = made;
  const trial = new TrialStore(runsDir, spec.trial_id);
  mkdirSync(trial.folder, { recursive: true });
  writeFileSync(trial.specFile, JSON.stringify(trialIdentityOf(spec)));
  const { number, folder, logFile } = trial.newAttempt();
  writeFileSync(logFile, "a line of the log\n");
  const { models = state === "completed" ? ["best", "last"] : [], bytes = 1000 } = made;
  for (const name of models) {
    writeFileSync(join(folder, `${name}.safetensors`), Buffer.alloc(bytes));
    writeFileSync(join(folder, `${name}.json`), "{}");
  }
  if (state === "completed") writeFileSync(join(folder, "predictions-val.parquet"), "predictions");
  if (state !== "unfinished") writeJson(join(folder, "outcome.json"), outcomeOf(spec, state, acc, code));
  if (accepted) {
    mkdirSync(join(trial.folder, "accepted"), { recursive: true });
    writeJson(join(trial.folder, "accepted", `${code.slice(0, 16)}.json`), {
      schema_version: 1,
      attempt: number,
      sources_sha256: code,
      accepted_at: new Date().toISOString(),
      origin: null,
    });
  }
  return number;
}

/** Writes a sweep that asks for the trials. */
export function addSweep(
  runsDir: string,
  name: string,
  specs: TrialSpec[],
  { question = "Which is best?", notAsked = [] }: { question?: string; notAsked?: TrialSpec[] } = {},
): SweepStore {
  const sweep = new SweepStore(runsDir, name);
  mkdirSync(sweep.folder, { recursive: true });
  sweep.writeTrials([
    ...specs.map((spec) => ({ spec, asked: true, attempt: null })),
    ...notAsked.map((spec) => ({ spec, asked: false, attempt: null })),
  ]);
  const [first] = [...specs, ...notAsked];
  if (first !== undefined) writeJson(join(sweep.folder, "places.json"), placesOf(first, specs));
  writeJson(join(sweep.folder, "experiment.json"), {
    schema_version: 1,
    name,
    question,
    published: [],
    source: { file: `${name}.json`, sets: [] },
    dataset: { id: "made", name: "mine", split_by: "umd" },
    keep_models: "all",
  });
  return sweep;
}

/** Appends to a sweep's journal that an attempt failed by the decision of its controller. */
export function addFailure(sweep: SweepStore, { trial_id, kind }: TrialSpec, attempt: number): void {
  const entry: Omit<Extract<JournalEntry, { type: "trial_finished" }>, "schema_version" | "at"> = {
    type: "trial_finished",
    trial_id,
    attempt,
    sources_sha256: currentCodeOf({ kind }),
    state: "failed",
    duration_ms: 1000,
    error: { code: "worker_died", message: "the worker was killed by SIGKILL" },
  };
  const journal = sweep.journal.open();
  journal.append(entry);
  journal.close();
}

function outcomeOf(
  spec: TrialSpec,
  state: "completed" | "failed",
  acc: number,
  sources_sha256: string,
): TrialOutcome {
  const made = madeOutcome(spec);
  const environment = { ...made.environment, cpu_name: "a processor", host: "my-host" };
  const completed = { ...made, schema_version: 1 as const, sources_sha256, environment };
  if (state === "completed") return { ...completed, metrics: { ...completed.metrics, acc_at_50: acc } };
  return {
    schema_version: 1,
    state,
    trial_id: spec.trial_id,
    sources_sha256,
    finished_at: "2026-01-01T00:00:00Z",
    error: { code: "loss_not_finite", message: "the loss is nan in epoch 2" },
    traceback_file: null,
  };
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value));
}
