import { CliprpnError } from "../../contract/errors.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import { isReadyToRun } from "../../environment/is-ready.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { checkRay, raySlots } from "../machines/ray-place.ts";
import { checkSlurm, slurmSlots } from "../machines/slurm-place.ts";
import type { RunContext } from "../run-context.ts";

/** Why SLURM refuses the options. The script can be read then, and on a machine without SLURM, too. */
export async function refusalOfSlurm(store: SweepStore, run: RunContext): Promise<CliprpnError | undefined> {
  try {
    await checkSlurm(store, run);
  } catch (error) {
    if (!(error instanceof CliprpnError)) throw error;
    if (error.code === "bad_input") return error;
    run.terminal.warn(`not checked by SLURM: ${error.message}`);
  }
  return undefined;
}

/** Nothing is installed for it. @throws CliprpnError bad_input. */
export async function tellRay(waiting: readonly TrialSpec[], run: RunContext): Promise<void> {
  if (run.ray?.python === undefined && !isReadyToRun(run, ["ray"])) {
    run.terminal.info(
      "Not checked: the Ray cluster, since Ray is missing here; run `cliprpn setup --extra ray`",
    );
    return;
  }
  try {
    run.terminal.info(await checkRay(waiting, run));
  } catch (error) {
    if (!(error instanceof CliprpnError && error.code === "environment_broken")) throw error;
    run.terminal.warn(error.message);
  }
}

/** Of workers that join, nobody knows how many there will be. */
export function slotsElsewhere(waiting: readonly TrialSpec[], run: RunContext): string[] {
  if (waiting.length === 0) return [];
  return run.engine === "slurm"
    ? slurmSlots(waiting, run)
    : run.engine === "ray"
      ? raySlots(waiting, run)
      : [];
}
