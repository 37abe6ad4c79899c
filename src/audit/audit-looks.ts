import { recordAnswerLooks } from "../compare/record-looks.ts";
import { digest } from "../contract/canonical-json.ts";
import type { AnswerReading, Split, TrialDataset } from "../contract/generated/types.ts";
import type { CompletedAttempt } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";

type Asked = { split: Split; seed: number };

/** Names the answers of an attempt to the questions of a seed: the same in another audit of it. */
export function lookKeyOfTrial(
  { spec, outcome }: CompletedAttempt,
  { id }: TrialDataset,
  { split, seed }: Asked,
): string {
  return keyOf({ trial_id: spec.trial_id, finished_at: outcome.finished_at, dataset_id: id, split, seed });
}

/** The same for a file of answers. */
export function lookKeyOfFile(
  sha256: string,
  reading: AnswerReading,
  { id }: TrialDataset,
  { split, seed }: Asked,
): string {
  return keyOf({ sha256, reading, dataset_id: id, split, seed });
}

/** Records new answers on a test split as a look at it. Call it before their figures are shown, and after they are checked. */
export function recordAuditLook(
  dataset: TrialDataset,
  split: Split,
  keys: readonly string[],
  run: Pick<RunContext, "runsDir" | "commandLine">,
): void {
  const data = { dataset, split };
  recordAnswerLooks(
    keys.map((lookKey) => ({ data, lookKey, isNew: true })),
    run,
  );
}

function keyOf(audit: object): string {
  return digest({ audit }).slice(0, 16);
}
