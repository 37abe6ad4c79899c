import type { AuditSummary, Split } from "../contract/generated/types.ts";
import { auditsIn } from "../store/audit-store.ts";

/** The audits of trials that a report shows, on the same split; of several of one configuration, the last by name. */
export function findAudits(
  runsDir: string,
  dataset_id: string,
  split: Split,
  trial_ids: ReadonlySet<string>,
): AuditSummary[] {
  const found = auditsIn(runsDir)
    .flatMap((store) => store.read() ?? [])
    .filter((audit) => audit.dataset.id === dataset_id && audit.split === split)
    .flatMap((audit) => audit.models)
    .filter((model) => model.trial_ids.length > 0 && model.trial_ids.every((id) => trial_ids.has(id)));
  return [...new Map(found.map(({ summary }) => [summary.label, summary])).values()];
}
