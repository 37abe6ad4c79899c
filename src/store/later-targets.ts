import { join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import type { StoredTarget } from "../contract/generated/types.ts";
import { readStored, schemaVersion, toJson } from "./files.ts";
import type { SweepStore } from "./sweep-store.ts";

/**
 * Splits that the trials of a sweep were evaluated on later, besides those of its experiment.
 *
 * @throws CliprpnError bad_input.
 */
export function laterTargets(sweep: SweepStore): StoredTarget[] {
  return readStored("LaterTargets", targetsFile(sweep))?.targets ?? [];
}

/** Lists splits that trials are evaluated on, unless they are listed already. */
export function addTargets(sweep: SweepStore, targets: readonly StoredTarget[]): void {
  const known = laterTargets(sweep);
  const key = ({ dataset, split }: StoredTarget): string => `${dataset.id}:${split}`;
  const added = targets.filter((target) => !known.some((each) => key(each) === key(target)));
  if (added.length === 0) return;
  replaceFile(targetsFile(sweep), toJson({ schema_version: schemaVersion, targets: [...known, ...added] }));
}

function targetsFile({ folder }: SweepStore): string {
  return join(folder, "evaluated-on.json");
}
