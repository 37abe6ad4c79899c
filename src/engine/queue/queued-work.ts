import type { CliprpnError } from "../../contract/errors.ts";
import type { QueuedAttempt, QueuedPreparation, TrialEvent } from "../../contract/generated/types.ts";
import { messageOf } from "../error-message.ts";
import type { Attempt, AttemptEnd, Preparation, PrepareOptions, Told } from "../launcher.ts";
import { entryOf, preparationEntry } from "./queue-folder.ts";

/** What a pilot runs, and who hears of it: an attempt at a trial, or the preparation of all trials. */
export interface QueuedWork<Outcome = unknown> {
  entry: string;
  /** What its pilot reads. */
  content: QueuedAttempt | QueuedPreparation;
  outcome(): Outcome | undefined;
  /** An error's message with where it happened. */
  messageOf(error: Pick<CliprpnError, "code" | "message">): string;
  started(slot: number, worker: string): void;
  event(event: TrialEvent): void;
  ended(end: AttemptEnd<Outcome>): void;
}

export function trialWork(
  attempt: Attempt,
  tell: (told: Told) => void,
): QueuedWork<NonNullable<ReturnType<Attempt["outcome"]>>> {
  const { spec, number, folder, logFile, keep_models, resume_from, checkpoint_minutes, fusionFile } = attempt;
  return {
    entry: entryOf({ trial_id: spec.trial_id, number }),
    content: {
      schema_version: 1,
      attempt: number,
      log_file: logFile,
      params: {
        spec,
        folder,
        keep_models,
        resume_from: [...(resume_from ?? [])],
        checkpoint_minutes: checkpoint_minutes ?? 0,
        ...(fusionFile === undefined ? {} : { fusion_file: fusionFile }),
      },
    },
    outcome: () => attempt.outcome(),
    messageOf: (error) => messageOf(error, attempt),
    started: (slot, worker) => tell({ type: "started", attempt, slot, worker }),
    event: (event) => tell({ type: "event", attempt, event }),
    ended: (end) => tell({ type: "ended", attempt, end }),
  };
}

type PreparationOutcome = NonNullable<ReturnType<Preparation["outcome"]>>;

export function preparationWork(
  preparation: Preparation,
  { onStarted, onEvent }: PrepareOptions,
  ended: (end: AttemptEnd<PreparationOutcome>) => void,
): QueuedWork<PreparationOutcome> {
  const { spec, number, folder, logFile, numLanes } = preparation;
  return {
    entry: preparationEntry(number),
    content: {
      schema_version: 1,
      attempt: number,
      log_file: logFile,
      params: { spec, folder, num_lanes: numLanes },
    },
    outcome: () => preparation.outcome(),
    messageOf: (error) => messageOf(error, preparation),
    started: (_, worker) => onStarted(worker),
    event: onEvent,
    ended,
  };
}
