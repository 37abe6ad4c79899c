import { counted } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import { nameTrials } from "../names.ts";
import { type CompletedTrial, completedTrials, type ReportInput } from "../report-input.ts";

/** How many trials continued from a checkpoint, and whether that may have changed their results. */
export function resumedNote(trials: ReportInput["trials"]): string[] {
  const resumed = completedTrials(trials).filter(({ outcome }) => outcome.resumed_from != null);
  if (resumed.length === 0) return [];
  const [were, their] = resumed.length === 1 ? ["was", "its"] : ["were", "their"];
  const onGpu = resumed.some(({ outcome }) => outcome.environment.device !== "cpu");
  const provided = resumed.some(hasCustomFusion)
    ? ", provided that a custom fusion keeps no state outside of its file"
    : "";
  const compared = onGpu
    ? `on a GPU, the last digits of ${their} results may differ from those of an uninterrupted run`
    : `${their} results equal those of an uninterrupted run to the bit${provided}`;
  return [
    `${counted(resumed.length, "trial")} ${were} interrupted and resumed from a checkpoint: ${compared}.`,
  ];
}

/** Trials for which the memory of the device was too small, by the sizes that fitted. */
export function memoryNotes(trials: ReportInput["trials"]): string[] {
  const completed = completedTrials(trials);
  const trained = groupBy(
    completed.filter(({ outcome }) => outcome.micro_batch_size != null),
    ({ spec, outcome }) =>
      `${outcome.micro_batch_size}${spec.kind === "cliprpn" ? ` of ${spec.settings.training.batch_size}` : ""}`,
  );
  const evaluated = groupBy(
    completed.filter(({ outcome }) => outcome.evaluation_batch_size != null),
    ({ outcome }) => outcome.evaluation_batch_size,
  );
  return [
    ...[...trained].map(([sizes, group]) => {
      const provided = group.some(hasCustomFusion)
        ? ", provided that a custom fusion treats each expression on its own and draws no random numbers, as for dropout"
        : "";
      const differences = group.some(hasDropout)
        ? "Dropout draws other numbers than for whole batches, so results differ as between two runs with other draws"
        : "The last digits differ from those of whole batches";
      return `The device ran out of memory in the training of ${nameTrials(group)}: gradients were added up over micro-batches of at most ${sizes} expressions. ${differences}; the number of updates, and what their losses divide by, are the same${provided}.`;
    }),
    ...[...evaluated].map(
      ([size, group]) =>
        `The device ran out of memory in the evaluation of ${nameTrials(group)}: batches had at most ${counted(Number(size), "expression")}, so the last digits may differ.`,
    ),
  ];
}

/** Of the fusions of the package, only this one has it; whether a custom one has, its file says. */
function hasDropout({ spec }: CompletedTrial): boolean {
  return spec.kind === "cliprpn" && spec.settings.fusion.kind === "cross_attention";
}

function hasCustomFusion({ spec }: CompletedTrial): boolean {
  return spec.kind === "cliprpn" && spec.settings.fusion.kind === "file";
}
