import type { LockOwner } from "../base/owner-lock.ts";

/** Why something may be removed. */
export type Reason =
  | "unfinished"
  | "resumable"
  | "failed"
  | "refused"
  | "old_code"
  | "unasked"
  | "last_model"
  | "answers"
  | "joint"
  | "leftover"
  | "log";

/** Reasons that count only with an option. */
export type OptionalReason = "resumable" | "old_code" | "unasked" | "last_model" | "joint";

/** Something that may be removed. */
export interface Removal {
  reason: Reason;
  path: string;
  bytes: number;
  trial_id: string | null;
  /** Null for a whole trial, and for what belongs to no attempt. */
  attempt: number | null;
}

/** Something of a trial. */
export type TrialRemoval = Removal & { trial_id: string };

/** Reasons that count only when the person says so, and the age of logs. */
export interface GcOptions {
  resumable: boolean;
  oldCode: boolean;
  unasked: boolean;
  lastModels: boolean;
  jointData: boolean;
  logsOlderThanDays: number;
}

/** A trial that is left alone because a process uses it. */
export interface SkippedTrial {
  trial_id: string;
  /** The sweep that runs; null if the trial itself does. */
  sweep: string | null;
  owner: LockOwner;
}

/** What `cliprpn gc` removes, or would remove. */
export interface GcPlan {
  removals: Removal[];
  /** What other options would remove too. */
  more: Removal[];
  skipped: SkippedTrial[];
  problems: string[];
}
