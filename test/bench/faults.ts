/** How soon a file with a fault in each of its rows is answered. */
import { join } from "node:path";
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";

const NUM_ROWS = 100_000;
const MAX_SECONDS = 10;

/** A row for each kind of fault. */
export async function faultsRows(folder: string, python: string): Promise<Row[]> {
  const args = [join(folder, "faults"), `${NUM_ROWS}`];
  const seconds = await runPython<Record<string, number>>(python, "faults", args);
  return Object.entries(seconds).map(([kind, duration]) => {
    const result = `${duration.toFixed(1)} s`;
    return {
      what: `refusing 100,000 rows of JSON Lines, each with ${kind}`,
      ours: result,
      baseline: "",
      result,
      target: `<= ${MAX_SECONDS} s`,
      met: duration <= MAX_SECONDS,
    };
  });
}
