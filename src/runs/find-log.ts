import { CliprpnError } from "../contract/errors.ts";
import { findTrialOrAttempt } from "../store/find-model.ts";
import { allSweeps } from "../store/sweeps.ts";
import { TrialStore } from "../store/trial-store.ts";
import type { RunContext } from "../sweep/run-context.ts";

/** A trial, or one of its attempts; also one that has not started, by the start of its id. @throws CliprpnError not_found. */
export function findLog(
  name: string,
  run: Pick<RunContext, "runsDir" | "cwd">,
): ReturnType<typeof findTrialOrAttempt> {
  try {
    return findTrialOrAttempt(name, run);
  } catch (error) {
    const isMissing = error instanceof CliprpnError && error.code === "not_found";
    const trial = isMissing && name.length >= 4 ? listedTrial(name, run.runsDir) : undefined;
    if (trial === undefined) throw error;
    return { trial, attempt: undefined };
  }
}

/** The only trial in the lists of the sweeps whose id starts like this. */
function listedTrial(name: string, runsDir: string): TrialStore | undefined {
  const listed = allSweeps(runsDir).flatMap((sweep) => sweep.listed() ?? []);
  const ids = new Set(listed.flatMap(({ trial_id }) => (trial_id.startsWith(name) ? [trial_id] : [])));
  const [id] = ids;
  return id !== undefined && ids.size === 1 ? new TrialStore(runsDir, id) : undefined;
}
