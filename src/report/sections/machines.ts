import type { RootContent } from "mdast";
import { count, counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import { machineNumbers, processorOf } from "../machines.ts";
import { longTable, paragraph } from "../markdown.ts";
import { nameTrials } from "../names.ts";
import { noValue } from "../points.ts";
import type { CompletedTrial } from "../report-input.ts";

/** On how many machines the trials ran; where they have processors of several models, which trial ran on which. */
export function machines(completed: CompletedTrial[]): RootContent[] {
  const numbers = machineNumbers(completed);
  const kinds = [...groupBy(completed, processorOf)].toSorted(([, a], [, b]) => b.length - a.length);
  return [
    paragraph(describeMachines(completed, numbers)),
    ...(kinds.length < 2
      ? []
      : longTable(
          ["processor", "machines", "trials", "which"],
          kinds.map(([processor, trials]) => [
            processor,
            numMachines(trials, numbers),
            count(trials.length),
            nameTrials(trials),
          ]),
        )),
  ];
}

/** "The 12 trials ran on 3 machines, which `cliprpn show TRIAL` names." */
function describeMachines(completed: CompletedTrial[], numbers: ReadonlyMap<string, number>): string {
  const num = new Set(numbers.values()).size;
  const numUnknown = completed.length - numbers.size;
  if (num === 0) return "The machines that the trials ran on are not recorded.";
  const trials =
    numUnknown === 0
      ? `${completed.length === 1 ? "The trial" : `The ${count(completed.length)} trials`}`
      : `${count(numbers.size)} of ${counted(completed.length, "trial")}`;
  const unknown =
    numUnknown === 0
      ? ""
      : ` Of ${numUnknown === 1 ? "the other one" : `the other ${count(numUnknown)}`}, the machine is not recorded: ${numUnknown === 1 ? "it was" : "they were"} imported, or trained by an earlier version.`;
  const differ =
    new Set(completed.map(processorOf)).size < 2
      ? ""
      : " Processors of another model give other last bits, so results on them differ as with another seed.";
  return `${trials} ran on ${num === 1 ? "one machine" : `${count(num)} machines`}.${unknown}${differ}`;
}

/** Of trials on one model of processor; of some of them, it may not be known. */
function numMachines(trials: readonly CompletedTrial[], numbers: ReadonlyMap<string, number>): string {
  const known = new Set(trials.flatMap(({ spec }) => numbers.get(spec.trial_id) ?? []));
  const isComplete = trials.every(({ spec }) => numbers.has(spec.trial_id));
  if (known.size === 0) return noValue;
  return isComplete ? count(known.size) : joinWords([count(known.size), "unknown"]);
}
