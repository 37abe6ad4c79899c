import { count } from "../base/format.ts";
import type { PreflightFinding, PreparedDataset } from "../contract/generated/types.ts";
import { deviations, publishedCounts } from "../dataset/prepare/published-counts.ts";
import { failed, notChecked, passed } from "./check.ts";

type Facts = Pick<PreparedDataset, "name" | "split_by" | "splits">;

/** Compares the counts of the splits of every dataset with the published ones. */
export function checkCounts(datasets: readonly Facts[]): PreflightFinding {
  const wrong = datasets.flatMap(({ name, split_by, splits }) =>
    deviations(name, split_by, splits).map((line) => `${name} ${line}`),
  );
  const found = datasets.map(describe).join("; ");
  if (wrong.length > 0)
    return failed(
      `${wrong.slice(0, maxShown).join("; ")}${wrong.length > maxShown ? ` and ${wrong.length - maxShown} more` : ""}`,
      "get the published annotations and all images, and prepare the dataset again; results on other data are not comparable with published ones",
    );
  const own = datasets.filter(({ name, split_by }) => publishedCounts(name, split_by) === undefined);
  return own.length === 0
    ? passed(`as published: ${found}`)
    : notChecked(`no counts are published for ${own.map(({ name }) => name).join(", ")}; found ${found}`);
}

const maxShown = 4;

function describe({ name, splits }: Facts): string {
  const parts = splits.map(
    ({ split, num_images, num_refs, num_sentences }) =>
      `${split} ${count(num_images)} images, ${count(num_refs)} objects, ${count(num_sentences)} expressions`,
  );
  return `${name}: ${parts.join("; ")}`;
}
