import { mkdirSync } from "node:fs";
import type { AuditKind, AuditSummary, StoredAudit } from "../../src/contract/generated/types.ts";
import { writeAudit } from "../../src/report/audit/write-audit.ts";
import { AuditStore } from "../../src/store/audit-store.ts";

const interval = (mean: number) => ({ mean, low: mean - 0.01, high: mean + 0.01 });

export function madeKind(name: AuditKind["kind"], unchanged: number, after = 0.4): AuditKind {
  return {
    kind: name,
    num_changes: 100,
    num_expressions: 100,
    num_images: 50,
    num_missing: 0,
    num_unparsed: 0,
    num_compared: 100,
    original: interval(0.5),
    acc_at_50: interval(after),
    difference: interval(after - 0.5),
    p_value: 0.01,
    p_adjusted: 0.02,
    unchanged: interval(unchanged),
    num_with_other: 0,
    moved: name === "swapped_side" ? interval(0.7) : null,
  };
}

export function madeAuditSummary(changes: Partial<AuditSummary> = {}): AuditSummary {
  return {
    schema_version: 1,
    label: "film",
    split: "val",
    num_expressions: 100,
    num_images: 50,
    num_one_word: 3,
    num_missing: 0,
    num_unparsed: 0,
    function_words: ["a", "the"],
    num_runs: 1,
    population: "checkpoints",
    confidence: 0.95,
    seed: 0,
    acc_at_50: interval(0.5),
    kinds: [
      madeKind("blank", 0.1, 0.2),
      madeKind("shuffled", 0.97),
      madeKind("reversed", 0.96),
      madeKind("swapped_side", 0.2),
    ],
    ignores_word_order: true,
    ignores_expression: false,
    examples: [],
    ...changes,
  };
}

/** @param trials that were audited; none for an outside model. */
export function madeAudit(
  summary: AuditSummary,
  trials: readonly { trial_id: string; finished_at: string }[],
  name = "film-demo-val",
): StoredAudit {
  return {
    schema_version: 1,
    name,
    command: "cliprpn audit film",
    created_at: "2026-01-02T03:04:05.000Z",
    dataset: { id: "made", name: "mine", split_by: "own" },
    split: "val",
    models: [
      {
        trial_ids: trials.map(({ trial_id }) => trial_id),
        attempts: trials.map((trial) => ({ ...trial, attempt: 1 })),
        files: [],
        summary,
      },
    ],
  };
}

/** Writes an audit to a runs folder. */
export async function addAudit(runsDir: string, audit: StoredAudit): Promise<AuditStore> {
  const store = new AuditStore(runsDir, audit.name);
  mkdirSync(store.folder, { recursive: true });
  await writeAudit(audit, store.folder);
  return store;
}
