import type { AuditSummary, Split } from "../../contract/generated/types.ts";
import type { ReportTrial, ShownAudit } from "../../report/report-input.ts";
import { allAudits } from "../../store/audit-store.ts";

/** The audits for a report, and why others cannot be read. */
export interface FoundAudits {
  audits: ShownAudit[];
  problems: string[];
}

/**
 * The audits of the trials that a report shows, on the same split: of each configuration, the newest one of the attempts that are
 * shown, else the newest. A damaged file costs only its own audit.
 */
export function findAudits(
  runsDir: string,
  dataset_id: string,
  split: Split,
  trials: readonly ReportTrial[],
): FoundAudits {
  const problems: string[] = [];
  const shown = new Map(trials.map((trial) => [trial.spec.trial_id, trial]));
  const audits = new Map<string, ShownAudit>();
  for (const store of allAudits(runsDir)) {
    const audit = readQuietly(store.read.bind(store), problems);
    if (audit?.dataset.id !== dataset_id || audit.split !== split) continue;
    for (const { trial_ids, attempts, summary } of audit.models) {
      const [first] = trial_ids;
      const label = first === undefined ? undefined : shown.get(first)?.spec.label;
      if (label === undefined || !trial_ids.every((id) => shown.get(id)?.spec.label === label)) continue;
      const isEarlier = !trial_ids.every((id) => isShown(shown.get(id), attempts ?? []));
      const known = audits.get(label);
      if (known === undefined || (known.isEarlier && !isEarlier))
        audits.set(label, { name: store.name, summary: withLabel(summary, label), isEarlier });
    }
  }
  return { audits: [...audits.values()], problems };
}

function readQuietly<T>(read: () => T, problems: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Numbers of attempts may differ between machines; when an attempt ended does not. */
function isShown(
  trial: ReportTrial | undefined,
  attempts: readonly { trial_id: string; finished_at: string }[],
): boolean {
  return attempts.some(
    ({ trial_id, finished_at }) =>
      trial_id === trial?.spec.trial_id && finished_at === trial.outcome?.finished_at,
  );
}

/** Another sweep may name the configuration otherwise. */
function withLabel(summary: AuditSummary, label: string): AuditSummary {
  return { ...summary, label };
}
