import { cutMiddle, displayWidth, padded } from "../../base/display-width.ts";
import { counted } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { EstimateBasis } from "../../contract/generated/types.ts";
import { shortDuration } from "./describe-time.ts";
import { runs } from "./left-trials.ts";
import type { PlannedTrial } from "./planned-trials.ts";

/** Lines of a table of configurations: their seeds, what happens to their trials, and the time of one. */
export function planTable(
  planned: readonly PlannedTrial[],
  basis: readonly EstimateBasis[],
  columns: number,
): string[] {
  const groups = [...groupBy(planned, ({ spec }) => spec.label)];
  const shown = groups.length > maxRows ? groups.slice(0, maxRows - 1) : groups;
  const times = new Map(basis.map(({ label, trial }) => [label, trial]));
  const cells = shown.map(([label, trials]) => rowOf(label, trials, times.get(label)?.ms));
  const used = header.map(
    (_, column) => column < alwaysShown || cells.some((row) => (row[column] ?? "0") !== "0"),
  );
  const rows = [header, ...cells].map((row) => row.filter((_, column) => used[column]));
  const isLeft = header.map((_, column) => column < 3).filter((_, column) => used[column]);
  const more = groups.length - shown.length;
  return [
    ...align(rows, isLeft, columns),
    ...(more > 0 ? [`and ${counted(more, "other configuration")}; --json lists all`] : []),
  ];
}

const header = [
  "configuration",
  "kind",
  "seeds",
  "to run",
  "done",
  "stale",
  "failed",
  "elsewhere",
  "a trial",
];
const alwaysShown = 5;
const maxRows = 20;

function rowOf(label: string, trials: readonly PlannedTrial[], trial_ms: number | undefined): string[] {
  const num = (...states: PlannedTrial["state"][]): string =>
    String(trials.filter(({ state }) => states.includes(state)).length);
  const spec = trials[0]?.spec;
  return [
    label,
    spec?.kind === "cliprpn" ? spec.preset : "baseline",
    spec?.kind === "cliprpn" ? seedsText(trials.map((each) => each.spec.seed)) : "-",
    String(trials.filter(runs).length),
    num("completed"),
    num("stale"),
    num("failed"),
    num("running_elsewhere"),
    trial_ms === undefined ? "0" : shortDuration(trial_ms),
  ];
}

/** "0 to 4", "0, 2, 7". */
export function seedsText(seeds: readonly number[]): string {
  const [first = 0] = seeds;
  const isRange = seeds.length > 2 && seeds.every((seed, index) => seed === first + index);
  if (isRange) return `${first} to ${seeds.at(-1)}`;
  return seeds.length > 4 ? `${seeds.slice(0, 3).join(", ")}, …` : seeds.join(", ");
}

/** Columns with two spaces between them; the first one gives way if the lines are too long. */
function align(rows: readonly (readonly string[])[], isLeft: readonly boolean[], columns: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row[column] ?? "")), 0),
  );
  const others = widths.slice(1).reduce((total, width) => total + width + 2, 0);
  widths[0] = Math.max(10, Math.min(widths[0] ?? 0, columns - others));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const text = cutMiddle(cell === "0" && column > 4 ? "" : cell, width);
        return padded(text, width, isLeft[column] ? "left" : "right");
      })
      .join("  ")
      .trimEnd(),
  );
}
