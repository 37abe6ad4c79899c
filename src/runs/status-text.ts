import { count, counted, percent } from "../base/format.ts";
import { trialName } from "../report/names.ts";
import { wholeSeconds } from "../sweep/eta.ts";
import type { ShownStatus } from "./sweep-status.ts";
import { filled, indented } from "./text.ts";

/** The status of a sweep, for a terminal of 80 columns. */
export function statusText(status: ShownStatus): string {
  const { name, question, owner, failures } = status;
  const lines = [
    ...filled(question === null ? name : `${name}: ${question}`),
    ...indented(owner === null ? "not running; re-run its command to resume" : `running: ${owner}`),
    ...indented(progressText(status)),
    ...runningLines(status),
  ];
  const shown = failures.slice(0, maxFailures);
  for (const { trial, attempt, error } of shown)
    lines.push(...indented(`${trial} failed (attempt ${attempt}): ${error.code}: ${error.message}`));
  if (failures.length > shown.length)
    lines.push(...indented(`and ${count(failures.length - shown.length)} more failed; --json has all`));
  return lines.join("\n");
}

const maxFailures = 5;

function progressText({ now, num_trials, num_completed, failures }: ShownStatus): string {
  if (now === null) {
    const failed = failures.length === 0 ? "" : `, ${count(failures.length)} failed`;
    return `${count(num_completed)} of ${counted(num_trials, "trial")} completed${failed}`;
  }
  const left = now.left_ms === null ? "" : `, about ${wholeSeconds(now.left_ms)} left`;
  const failed = now.num_failed === 0 ? "" : `, ${count(now.num_failed)} of them failed`;
  return `${count(now.num_done)} of ${counted(now.num_trials, "trial")} done${failed}${left}`;
}

function runningLines({ now }: ShownStatus): string[] {
  return (now?.running ?? []).flatMap(({ epoch, activity, slot, trial_id, ...trial }) => {
    const last =
      epoch === null
        ? activity
        : `epoch ${epoch.epoch}/${epoch.num_epochs}, loss ${epoch.loss.toPrecision(3)}, val Acc@0.5 ${percent(epoch.val_acc_at_50)}`;
    return indented(`slot ${slot}: ${trialName(trial)} (${trial_id.slice(0, 8)}): ${last}`);
  });
}
