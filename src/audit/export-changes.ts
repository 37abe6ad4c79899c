import { count } from "../base/format.ts";
import type { ComparedSplit } from "../compare/comparison.ts";
import type { BridgeMethods } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { ensureDataset } from "../sweep/datasets.ts";
import { datasetOf } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";

type Methods = BridgeMethods["export_changes"];

/** Writes the changed expressions as questions for an outside model. */
export async function exportChanges(
  data: ComparedSplit,
  options: Omit<Methods["params"], "dataset" | "split">,
  engine: Engine,
  run: RunContext,
): Promise<Methods["result"]> {
  await ensureDataset(data.dataset, [], engine, run);
  const params = { ...options, dataset: datasetOf(data.dataset), split: data.split };
  const exported = await engine.call("export_changes", params, { signal: run.signal });
  const { num_questions, num_expressions } = exported;
  const seed = options.seed === 0 ? "" : ` --seed ${options.seed}`;
  run.terminal.info(
    `${count(num_questions)} questions on ${count(num_expressions)} expressions of ${data.name}, coordinates ${options.coordinates}. Add the field \`answer\` to each line, or write lines with \`sent_id\` and \`answer\`; then \`cliprpn audit MODEL --data ${data.name} --answers FILE --coordinates ${options.coordinates}${seed}\``,
  );
  return exported;
}
