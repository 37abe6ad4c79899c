import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { groupBy } from "../base/group-by.ts";
import { check, findSchemaErrors } from "../contract/check.ts";
import type { Report, ReportedSetting, ReportedTrial, Split } from "../contract/generated/types.ts";
import { machineNumbers, withoutHost } from "./machines.ts";
import { textsOf } from "./markdown.ts";
import { completedTrials, type ReportInput, type ReportTrial, splitFiles } from "./report-input.ts";
import { limitations } from "./sections/basis.ts";
import { trainingRecords } from "./sections/training-data.ts";
import { verdict } from "./sections/verdict.ts";
import { whatDiffers } from "./sections/what-differs.ts";
import { componentsOf } from "./tables/components.ts";

/** Everything that the report says, for programs. @throws CliprpnError contract_violation. */
export function reportJson(input: ReportInput): Report {
  const { name, question, command, source, summary, trials, numTestLooks, cliprpn_version } = input;
  const report: Report = {
    schema_version: 1,
    cliprpn_version,
    name,
    question,
    command,
    source,
    dataset: input.dataset,
    split: summary.split,
    verdict: verdict(input),
    notes: [...limitations(input), ...whatDiffers(input)]
      .filter(({ type }) => type === "list")
      .flatMap(textsOf),
    num_test_looks: numTestLooks,
    ...(input.training_set === undefined ? {} : { training_set: input.training_set }),
    training_data: trainingRecords(input),
    settings: settingsOf(input, trials),
    summary,
    ...(input.starts === undefined || input.starts.length === 0 ? {} : { starts: input.starts }),
    ...(input.combined === undefined ? {} : { combined: input.combined }),
    ...(input.comparison === undefined ? {} : { comparison: input.comparison }),
  };
  return check("Report", report, input.files.json);
}

/** The reports on other splits in a sweep's folder that this version can read. */
export function readOtherReports(folder: string, split: Split): Report[] {
  return splits.flatMap((other) => {
    const file = join(folder, splitFiles(other).json);
    if (other === split || !existsSync(file)) return [];
    const report = parse(readFileSync(file, "utf8"));
    return report === undefined ? [] : [report];
  });
}

const splits = ["val", "test", "testA", "testB", "train"] as const;

/** Undefined for a file of another version: its report can be written again. */
function parse(text: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return findSchemaErrors("Report", value).length === 0 ? (value as Report) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** In the order of the summary, then those without a result. */
function settingsOf({ summary }: ReportInput, trials: ReportTrial[]): ReportedSetting[] {
  const order = new Map(summary.settings.map(({ label }, index) => [label, index]));
  const byLabel = groupBy(trials, ({ spec }) => spec.label);
  const position = (label: string): number => order.get(label) ?? order.size;
  const components = componentsOf(trials.map(({ spec }) => spec));
  const numbers = machineNumbers(completedTrials(trials));
  const ofTrials = [...byLabel].map(([label, ofLabel]) => ({
    label,
    kind: ofLabel[0].spec.kind,
    components: components.get(label) ?? [],
    trials: ofLabel.map((trial) => reportedTrial(trial, numbers)),
  }));
  const ofFiles = summary.settings
    .filter(({ kind }) => kind === "results")
    .map(({ label, kind }) => ({ label, kind, components: [], trials: [] }));
  return [...ofTrials, ...ofFiles].toSorted((a, b) => position(a.label) - position(b.label));
}

function reportedTrial(
  { spec, outcome, attempt, isStale, origin }: ReportTrial,
  machines: ReadonlyMap<string, number>,
): ReportedTrial {
  const completed = outcome?.state === "completed" ? outcome : undefined;
  return {
    trial_id: spec.trial_id,
    seed: spec.seed,
    state: outcome?.state ?? "not_run",
    attempt,
    is_stale: isStale,
    origin,
    best_epoch: completed?.best_epoch ?? null,
    num_trainable_parameters: completed?.num_trainable_parameters ?? null,
    durations_ms: completed?.durations_ms ?? null,
    peak_memory_bytes: completed?.peak_memory_bytes ?? null,
    environment: completed === undefined ? null : withoutHost(completed.environment),
    machine: machines.get(spec.trial_id) ?? null,
    error: outcome?.state === "failed" ? outcome.error : null,
  };
}
