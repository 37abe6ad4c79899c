import { CliprpnError } from "../contract/errors.ts";
import { checkTrusted } from "./import-marks.ts";
import type { TrialStore } from "./trial-store.ts";

/** The model of an attempt's best epoch. @throws CliprpnError not_found if it kept none, with what to do; weights_unsafe. */
export function neededModel(trial: TrialStore, attempt: number): string {
  const file = trial.model(attempt);
  const { folder } = trial.attempt(attempt);
  if (file !== undefined) {
    checkTrusted(folder);
    return file;
  }
  const origin = trial.importedFrom(attempt);
  if (origin !== null && trial.identity()?.kind !== "baseline")
    throw new CliprpnError(
      "not_found",
      `${folder}: expected a trained model, found none: it was imported from ${origin.from}, which has no models. Export the sweep with --models best, and import that archive`,
    );
  throw new CliprpnError(
    "not_found",
    trial.identity()?.kind === "baseline"
      ? `${folder}: expected a trained model, found a baseline, which has none; choose a trial of a ClipRPN`
      : `${folder}: expected a trained model, found none: its sweep ran with keep_models none, or the file was removed. To get one, run the sweep in another runs folder, with --set keep_models=best --runs-dir DIR`,
  );
}
