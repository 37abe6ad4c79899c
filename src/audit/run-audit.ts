import { basename, relative } from "node:path";
import { describeOwner } from "../base/owner-lock.ts";
import { answeredText } from "../compare/answer-lines.ts";
import type { ComparedSplit } from "../compare/comparison.ts";
import { digest } from "../contract/canonical-json.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  AnswerReading,
  AnswersReport,
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
import { type CompletedAttempt, datasetOf } from "../sweep/predict-on.ts";
import { type RunContext, writableRunsDir } from "../sweep/run-context.ts";
import { liveEvent } from "../sweep/view/phases.ts";
import { lookKeyOfFile, lookKeyOfTrial, recordAuditLook } from "./audit-looks.ts";
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

/** An audit that is written. */
export interface MadeAudit {
  /** AUDIT.md, relative to the current folder. */
  file: string;
  audit: StoredAudit;
}

/** Audits configurations on a split of their own dataset, or of `data`. */
export async function auditTrials(
  configurations: readonly AuditedConfiguration[],
  data: ComparedSplit | undefined,
  options: AuditOptions,
  engine: Engine,
  run: RunContext,
): Promise<MadeAudit> {
  const [first] = configurations;
  const own = first?.trials[0]?.spec.dataset;
  if (first === undefined || own === undefined)
    throw new CliprpnError("bad_input", "expected a configuration to audit, found upper bounds only");
  writableRunsDir(run);
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
  const models: AuditedModel[] = [];
  for (const { label, trials, runs } of asked) {
    const summary = await engine.call(
      "audit",
      { ...shared(label, dataset, options), runs, cache_dir: cacheDir(run.env) },
      { signal: run.signal, onEvent: liveEvent(run.terminal, `${label}: `) },
    );
    run.terminal.liveDone();
    const keys = trials.map((trial) => lookKeyOfTrial(trial, dataset, options));
    recordAuditLook(dataset, options.split, keys, run);
    run.terminal.info(auditVerdict(summary));
    const attempts = trials.map(({ spec, attempt, outcome }) => ({
      trial_id: spec.trial_id,
      attempt,
      finished_at: outcome.finished_at,
    }));
    models.push({ trial_ids: trials.map(({ spec }) => spec.trial_id), attempts, files: [], summary });
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
): Promise<MadeAudit> {
  writableRunsDir(run);
  await ensureDataset(data.dataset, [], engine, run);
  const dataset = datasetOf(data.dataset);
  const [file = "", ...others] = files;
  const { summary, reports } = await engine.call(
    "audit_answers",
    { ...shared(label, dataset, options), files: [file, ...others], reading },
    { signal: run.signal },
  );
  const keys = reports.map(({ sha256 }) => lookKeyOfFile(sha256, reading, dataset, options));
  recordAuditLook(dataset, options.split, keys, run);
  for (const report of reports) describeFile(report, run);
  run.terminal.info(auditVerdict(summary));
  return write(dataset, [{ trial_ids: [], files: [...files], answers: reports, summary }], options, run);
}

function describeFile(report: AnswersReport, { terminal }: RunContext): void {
  const name = basename(report.file);
  terminal.info(`${name}: ${answeredText(report, "question")}`);
  for (const note of report.notes) terminal.info(`${name}: ${note}`);
  for (const warning of report.warnings) terminal.warn(`${name}: ${warning}`);
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

async function write(
  { id, name, split_by }: TrialDataset,
  models: AuditedModel[],
  options: AuditOptions,
  run: RunContext,
): Promise<MadeAudit> {
  const { terminal, signal, commandLine } = run;
  const store = new AuditStore(run.runsDir, options.name);
  const lock = await store.lockReport({
    command: commandLine,
    signal,
    onWait: (owner) =>
      terminal.info(`Another cliprpn process writes this audit: ${describeOwner(owner)}; waiting for it.`),
    onLost: () => undefined, // Each file of a report is replaced in one step.
  });
  try {
    const audit: StoredAudit = {
      schema_version: 1,
      name: options.name,
      command: commandLine,
      created_at: new Date().toISOString(),
      dataset: { id, name, split_by },
      split: options.split,
      models,
    };
    const file = await writeAudit(audit, store.folder);
    return { file: relative(run.cwd, file) || file, audit };
  } finally {
    await lock.release();
  }
}
