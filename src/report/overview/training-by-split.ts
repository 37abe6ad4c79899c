import type { RootContent } from "mdast";
import { bullets, heading, paragraph, table } from "../markdown.ts";
import { nameLabels } from "../names.ts";
import { trainedOn } from "../sections/training-data.ts";
import { overlapOf } from "../training-data/overlap.ts";
import type { OverviewInput } from "./overview-input.ts";

/** What each model was trained on, and how many images of each split that includes. */
export function trainingBySplit({ endpoints, combined }: OverviewInput): RootContent[] {
  const known = endpoints.filter(
    ({ image_origins }, index) =>
      image_origins.length > 0 && combined.endpoints[index]?.dataset_name !== "demo",
  );
  const parts = new Map(
    endpoints.flatMap(({ training }) => training).map((part) => [JSON.stringify(part), part]),
  );
  if (known.length === 0 || parts.size === 0) return [];
  const rows = [...parts.values()].map((part) => ({
    part,
    overlaps: known.map(({ image_origins }) => overlapOf(part.trained_on, image_origins)),
  }));
  const reasons = new Set(rows.flatMap(({ overlaps }) => overlaps.flatMap((each) => each.reasons)));
  return [
    heading(2, "Training data"),
    paragraph("Leakage: images that weights were trained on are no unseen images."),
    table(
      ["weights", "models", "trained on", ...known.map(({ name }) => `images of ${name} in it`)],
      rows.map(({ part, overlaps }) => [
        part.name,
        part.labels === "all" ? "all" : nameLabels(part.labels),
        trainedOn(part),
        ...overlaps.map(({ text }) => text),
      ]),
      3 + known.length,
    ),
    ...(reasons.size === 0 ? [] : [bullets([...reasons].map((reason) => `${reason}.`))]),
  ];
}
