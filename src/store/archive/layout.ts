import { auditFile } from "../audit-store.ts";

/** Name of an archive's first file, which lists the others. */
export const manifestName = "cliprpn-export.json";

/** What a path in an archive is; no other file may be in one. Paths are those in a runs folder. */
export type ArchivePath =
  | { kind: "experiment" | "trials" | "journal" | "report"; sweep: string; name: string }
  | { kind: "spec" | "fusion"; trial_id: string }
  | { kind: "accepted"; trial_id: string; code: string }
  | { kind: "outcome" | "attempt" | "facts" | "weights"; trial_id: string; attempt: number; name: string }
  | { kind: "answers"; trial_id: string; attempt: number; name: string }
  | { kind: "audit" | "audit_report"; audit: string; name: string }
  | { kind: "code"; code: string }
  | { kind: "looks" };

/**
 * What a path in an archive is. Only the paths that an export writes are known: none of them is absolute, leaves the folder, or
 * differs from another one in case alone.
 */
export function archivePath(path: string): ArchivePath | undefined {
  const inSweep = /^sweeps\/([^/]+)\/(.+)$/.exec(path);
  if (inSweep !== null) return sweepPath(inSweep[1] ?? "", inSweep[2] ?? "");
  const inTrial = /^trials\/([0-9a-f]{16})\/(.+)$/.exec(path);
  if (inTrial !== null) return trialPath(inTrial[1] ?? "", inTrial[2] ?? "");
  const inAudit = /^audits\/([^/]+)\/(.+)$/.exec(path);
  if (inAudit !== null) return auditPath(inAudit[1] ?? "", inAudit[2] ?? "");
  const code = /^code\/([0-9a-f]{16})\.json$/.exec(path)?.[1];
  if (code !== undefined) return { kind: "code", code };
  return path === looksName ? { kind: "looks" } : undefined;
}

/** Name of the looks at the dataset's test splits. */
export const looksName = "test-looks.jsonl";

/** The largest size of a file, so that an archive cannot fill memory or disk. */
export function maxBytes({ kind }: ArchivePath): number {
  if (kind === "weights") return 64 * gibi;
  if (kind === "attempt" || kind === "answers") return 4 * gibi;
  return kind === "spec" || kind === "fusion" || kind === "accepted" ? 4 * mebi : 256 * mebi;
}

const mebi = 2 ** 20;
const gibi = 2 ** 30;

/** The largest manifest: a sweep of 10,000 trials has one of 20 MB. */
export const maxManifestBytes = 256 * mebi;

/** True for a name that an experiment can have. */
export function isSweepName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(name);
}

function sweepPath(sweep: string, name: string): ArchivePath | undefined {
  if (!isSweepName(sweep)) return undefined;
  if (name === "experiment.json") return { kind: "experiment", sweep, name };
  if (name === "trials.jsonl") return { kind: "trials", sweep, name };
  if (name === "journal.jsonl") return { kind: "journal", sweep, name };
  return reportPattern.test(name) ? { kind: "report", sweep, name } : undefined;
}

const split = "(?:train|val|test|testA|testB)";

/** Without REPORT.html, which may run code where it is opened. Earlier versions wrote summary-<split>.json. */
const reportPattern = new RegExp(
  `^(?:REPORT(?:-${split})?\\.md|report(?:-${split})?\\.json|summary-${split}\\.json|report/${split}/[a-z0-9][a-z0-9_-]{0,99}\\.(?:png|svg|jpg|webp|csv|tex|parquet))$`,
);

/** Without AUDIT.html, for the same reason. */
function auditPath(audit: string, name: string): ArchivePath | undefined {
  if (!isSweepName(audit)) return undefined;
  if (name === auditFile) return { kind: "audit", audit, name };
  const isReport = /^(?:AUDIT\.md|audit\/[a-z0-9][a-z0-9-]{0,99}\.(?:png|svg))$/.test(name);
  return isReport ? { kind: "audit_report", audit, name } : undefined;
}

function trialPath(trial_id: string, path: string): ArchivePath | undefined {
  if (path === "spec.json") return { kind: "spec", trial_id };
  if (path === "fusion.py") return { kind: "fusion", trial_id };
  const code = /^accepted\/([0-9a-f]{16})\.json$/.exec(path)?.[1];
  if (code !== undefined) return { kind: "accepted", trial_id, code };
  const [, folder, number, name = ""] = /^(attempts|answers)\/([1-9]\d{0,5})\/(.+)$/.exec(path) ?? [];
  const attempt = Number(number);
  if (folder === "answers")
    return answersPattern.test(name) ? { kind: "answers", trial_id, attempt, name } : undefined;
  if (folder !== "attempts") return undefined;
  if (name === "outcome.json") return { kind: "outcome", trial_id, attempt, name };
  if (/^(best|last)\.safetensors$/.test(name)) return { kind: "weights", trial_id, attempt, name };
  if (/^(best|last)\.json$/.test(name)) return { kind: "facts", trial_id, attempt, name };
  return attemptPattern.test(name) ? { kind: "attempt", trial_id, attempt, name } : undefined;
}

const attemptPattern =
  /^(?:predictions-val\.parquet|metrics-val\.json|events\/events\.out\.tfevents\.\d{1,6})$/;

const answersPattern = new RegExp(
  `^(?:on-[0-9a-zA-Z]{1,64}/)?(?:predictions-${split}\\.parquet|metrics-${split}\\.json)$`,
);
