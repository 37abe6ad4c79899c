import { dirname, join } from "node:path";
import { auditVerdict } from "../report/audit/audit-verdict.ts";
import { auditFile } from "../store/audit-store.ts";
import type { MadeAudit } from "./run-audit.ts";

/** The result of an audit for programs, as one line of JSON. */
export function auditResult({ file, audit }: MadeAudit): string {
  const { name, dataset, split, models } = audit;
  return JSON.stringify({
    name,
    file,
    json: join(dirname(file), auditFile),
    data: `${dataset.name}:${split}`,
    models: models.map(({ summary }) => {
      const { examples: _, function_words: __, ...figures } = summary;
      return { ...figures, verdict: auditVerdict(summary) };
    }),
  });
}
