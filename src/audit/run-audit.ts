import { relative } from "node:path";
import { count } from "../base/format.ts";
import type { ComparedSplit } from "../compare/comparison.ts";
import { digest } from "../contract/canonical-json.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  AnswerReading,
  AuditedModel,
  AuditRun,
  Split,
  StoredAudit,
  TrialDataset,
} from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import { defaultAlpha } from "../experiment/presets.ts";
import { auditVerdict } from "../report/audit/audit-verdict.ts";
import { writeAudit } from "../report/audit/write-audit.ts";
import { AuditStore } from "../store/audit-store.ts";
import { neededModel } from "../store/needed-model.ts";
import { ensureDataset } from "../sweep/datasets.ts";
import { imageSizeFor } from "../sweep/image-sizes.ts";
import { type CompletedAttempt, datasetOf, recordTargetLook } from "../sweep/predict-on.ts";
import { liveEvent } from "../sweep/progress.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { AuditedConfiguration } from "./audited-models.ts";

/** Where and how models are asked about changed expressions. */
export interface AuditOptions {
  name: string;
  split: Split;
  /** Of the random order of words. */
  seed: number;
  /** Expressions to show word by word; empty for a choice by a fixed rule. */
  sentIds: number[];
}

/** Audits configurations on a split of their own dataset, or of `data`. @returns the path of AUDIT.md. */
export async function auditTrials(
  configurations: readonly AuditedConfiguration[],
  data: ComparedSplit | undefined,
  options: AuditOptions,
  engine: Engine,
  run: RunContext,
): Promise<string> {
  const [first] = configurations;
  const own = first?.trials[0]?.spec.dataset;
  if (first === undefined || own === undefined)
    throw new CliprpnError("bad_input", "expected a configuration to audit, found upper bounds only");
  const dataset = datasetOf(data?.dataset ?? own);
  // All models are found before the first one is asked.
  const runOf = ({ spec, trial, attempt }: CompletedAttempt): AuditRun => ({
    spec: { ...spec, cache_dir: cacheDir(run.env) },
    model: spec.kind === "baseline" ? null : neededModel(trial, attempt),
  });
  const asked = configurations.flatMap(({ label, trials }) => {
    const [head, ...others] = trials.map(runOf);
    const runs: [AuditRun, ...AuditRun[]] | undefined = head === undefined ? undefined : [head, ...others];
    return runs === undefined ? [] : [{ label, trials, runs }];
  });
  if (data !== undefined) {
    const sizes = asked.flatMap(({ trials }) => trials.map(({ spec }) => imageSizeFor(spec)));
    await ensureDataset(data.dataset, sizes, engine, run);
  }
  look(dataset, options, asked.length, run);
  const models: AuditedModel[] = [];
  for (const { label, trials, runs } of asked) {
    const summary = await engine.call(
      "audit",
      { ...shared(label, dataset, options), runs, cache_dir: cacheDir(run.env) },
      { signal: run.signal, onEvent: liveEvent(run.terminal, `${label}: `) },
    );
    run.terminal.liveDone();
    run.terminal.info(auditVerdict(summary));
    models.push({ trial_ids: trials.map(({ spec }) => spec.trial_id), files: [], summary });
  }
  return write(dataset, models, options, run);
}

/** Audits an outside model by its answers to exported questions, one file for each run. */
export async function auditAnswers(
  label: string,
  files: readonly string[],
  reading: AnswerReading,
  data: ComparedSplit,
  options: AuditOptions,
  engine: Engine,
  run: RunContext,
): Promise<string> {
  await ensureDataset(data.dataset, [], engine, run);
  const dataset = datasetOf(data.dataset);
  look(dataset, options, 1, run);
  const [file = "", ...others] = files;
  const summary = await engine.call(
    "audit_answers",
    { ...shared(label, dataset, options), files: [file, ...others], reading },
    { signal: run.signal },
  );
  run.terminal.info(auditVerdict(summary));
  return write(dataset, [{ trial_ids: [], files: [...files], summary }], options, run);
}

/** Writes the changed expressions as questions. */
export async function exportQuestions(
  data: ComparedSplit,
  seed: number,
  out_file: string,
  engine: Engine,
  run: RunContext,
): Promise<void> {
  await ensureDataset(data.dataset, [], engine, run);
  const { num_questions, num_expressions } = await engine.call(
    "export_changes",
    { dataset: datasetOf(data.dataset), split: data.split, seed, out_file },
    { signal: run.signal },
  );
  run.terminal.info(
    `${count(num_questions)} questions on ${count(num_expressions)} expressions of ${data.name}; ask the model each one, and give its answers by sent_id with --answers`,
  );
}

/** The name of an audit: lower-case letters, digits and hyphens. */
export function auditName(what: string, dataset: string, split: Split): string {
  const text = `${what}-${dataset}-${split}`;
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return plain.length > 0 && plain.length <= 63 ? plain : `audit-${digest(text).slice(0, 8)}`;
}

function shared(
  label: string,
  dataset: TrialDataset,
  { split, seed, sentIds }: AuditOptions,
): {
  label: string;
  dataset: TrialDataset;
  split: Split;
  alpha: number;
  seed: number;
  sent_ids: number[];
} {
  return { label, dataset, split, alpha: defaultAlpha, seed, sent_ids: sentIds };
}

/** Answers to changed expressions of a test split are a look at it. */
function look(dataset: TrialDataset, { split }: AuditOptions, num: number, run: RunContext): void {
  recordTargetLook({ dataset, split }, num, { sweepName: null, runsDir: run.runsDir, context: run });
}

async function write(
  { id, name, split_by }: TrialDataset,
  models: AuditedModel[],
  options: AuditOptions,
  run: RunContext,
): Promise<string> {
  const store = new AuditStore(run.runsDir, options.name);
  store.open();
  const audit: StoredAudit = {
    schema_version: 1,
    name: options.name,
    command: run.commandLine,
    dataset: { id, name, split_by },
    split: options.split,
    models,
  };
  const file = await writeAudit(audit, store.folder);
  return relative(run.cwd, file) || file;
}
