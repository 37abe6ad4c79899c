/** What a worker leaves in the folder of its attempt. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TrialOutcome } from "../../../src/contract/generated/types.ts";
import type { Attempt } from "../../../src/engine/launcher.ts";
import { madeOutcome } from "../../helpers/report-input.ts";

/** The number of parameters is the number of the attempt: the file says whose it is. */
export function writeCompleted(attempt: Attempt): void {
  write(attempt, { ...madeOutcome(attempt.spec), num_trainable_parameters: attempt.number });
}

export function writeFailed(attempt: Attempt): void {
  const { trial_id, sources_sha256 } = attempt.spec;
  write(attempt, {
    schema_version: 1,
    state: "failed",
    trial_id,
    sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code: "loss_not_finite", message: "simulated" },
    traceback_file: null,
  });
}

/** Not synced: that is the work of another machine. */
function write({ folder }: Attempt, outcome: TrialOutcome): void {
  const file = join(folder, "outcome.json");
  writeFileSync(`${file}.new`, JSON.stringify(outcome), { flag: "wx" });
  renameSync(`${file}.new`, file);
}
