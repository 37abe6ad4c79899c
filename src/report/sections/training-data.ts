import type { RootContent } from "mdast";
import type { TrainingData } from "../../contract/generated/types.ts";
import { bullets, heading, paragraph, table } from "../markdown.ts";
import { nameLabels } from "../names.ts";
import type { ReportInput } from "../report-input.ts";
import { describeOrigins, overlapOf } from "../training-data/overlap.ts";
import { rowNoun } from "../wording.ts";

/** What the weights of each configuration were trained on, and how many of the evaluated images that includes. */
export function trainingData({ summary, training, dataset, comparison }: ReportInput): RootContent[] {
  const origins = summary.image_origins ?? [];
  if (training.length === 0 || origins.length === 0 || dataset.name === "demo") return [];
  const rows = training.map((part) => ({ part, overlap: overlapOf(part.trained_on, origins) }));
  const reasons = [...new Set(rows.flatMap(({ overlap }) => overlap.reasons))];
  return [
    heading(2, "Training data"),
    paragraph(
      `Leakage: images that weights were trained on are no unseen images. The evaluated images are, by their names, ${describeOrigins(origins)}.`,
    ),
    table(
      ["weights", `${rowNoun(summary.settings)}s`, "trained on", `images of ${summary.split} in it`],
      rows.map(({ part, overlap }) => [
        part.name,
        part.labels === "all" ? "all" : nameLabels(part.labels),
        trainedOn(part),
        overlap.text,
      ]),
      4,
    ),
    ...(reasons.length === 0 ? [] : [bullets(reasons.map((reason) => `${reason}.`))]),
    ...(training.some(({ source }) => source === "undeclared")
      ? [
          paragraph(
            comparison === undefined
              ? "Undeclared: add `trained_on` to the backbone or the detector of the experiment, or `--trained-on` to `cliprpn baseline`."
              : "Undeclared: add `trained_on` to the protocol of a model.",
          ),
        ]
      : []),
  ];
}

/** The same for programs. */
export function trainingRecords({ summary, training }: ReportInput): TrainingData[] {
  return training.map(({ name, trained_on, source }) => {
    const { num_seen, num_maybe, num_unknown } = overlapOf(trained_on, summary.image_origins ?? []);
    return { name, trained_on, source, num_seen, num_maybe_seen: num_maybe, num_unknown };
  });
}

/** One line for each weights that have, or may have, seen evaluated images. */
export function leakageLines({ summary, training }: ReportInput): string[] {
  return training.flatMap((part) => {
    const { text, num_seen, num_maybe } = overlapOf(part.trained_on, summary.image_origins ?? []);
    return num_seen + num_maybe === 0
      ? []
      : [`${part.name}: trained on ${trainedOn(part)}, with ${text} of the images of ${summary.split}`];
  });
}

/** In words; who says so, unless it is declared. */
export function trainedOn({ trained_on, source }: ReportInput["training"][number]): string {
  if (source === "undeclared" || trained_on === null) return "undeclared";
  const names = trained_on.join(", ");
  return source === "file_name" ? `${names} (by the file's name)` : names;
}
