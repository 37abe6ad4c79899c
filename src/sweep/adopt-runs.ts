import { counted } from "../base/format.ts";
import { describeOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { type Adopted, adoptOldRuns, leftTrials } from "../store/adopt/adopt.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Adopts the sweeps of an earlier version of cliprpn in the runs folder, and says so. Every command that uses the folder calls it
 * first.
 */
export async function adoptRuns({ runsDir, terminal, signal, commandLine }: RunContext): Promise<void> {
  const adopted = await adoptOldRuns(runsDir, {
    command: commandLine,
    signal,
    onWait: (owner) =>
      terminal.info(
        `Another cliprpn process is adopting the sweeps of an earlier version: ${describeOwner(owner)}; waiting for it.`,
      ),
    onProgress: (done, total) => terminal.live([`adopting trials: ${done} of ${total}`]),
  });
  terminal.liveDone();
  const { numTrials, numSweeps, missingSources, left } = adopted;
  if (numSweeps > 0)
    terminal.info(
      `Adopted ${counted(numTrials, "trial")} of ${counted(numSweeps, "sweep")} from the folders of an earlier version of cliprpn; their models are kept, in ${runsDir}/trials.`,
    );
  for (const { file, original } of missingSources) terminal.warn(sourceWarning(file, original));
  for (const { folder, why } of left) terminal.warn(`${folder} was not adopted: ${why}`);
}

/** @throws CliprpnError locked if a trial to run is in a sweep that was not adopted: its result may exist already. */
export function checkNotLeft(runsDir: string, trials: readonly TrialSpec[]): void {
  const left = leftTrials(runsDir);
  const folder = trials.map(({ trial_id }) => left.get(trial_id)).find((each) => each !== undefined);
  if (folder === undefined) return;
  throw new CliprpnError(
    "locked",
    `${folder}: a trial of this experiment is in this sweep of an earlier version of cliprpn, which could not be adopted. Nothing was started. When the sweep has ended, re-run the same command, or use another --runs-dir`,
  );
}

function sourceWarning(file: string, original: Adopted["missingSources"][number]["original"]): string {
  return `the model of an adopted trial cannot be loaded: the source of its fusion, ${original.file}, has changed or is gone. Copy the version with the SHA-256 ${original.source_sha256} to ${file}`;
}
