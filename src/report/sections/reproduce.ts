import type { RootContent } from "mdast";
import { quoteForShell } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import { code, codeBlock, heading, type Inline, longTable, paragraph } from "../markdown.ts";
import { noValue } from "../points.ts";
import { completedTrials, type ReportInput } from "../report-input.ts";

/** The commands that reproduce the sweep, and each of its rows. */
export function reproduce(input: ReportInput): RootContent[] {
  return [
    heading(2, "Reproduce"),
    paragraph(
      input.comparison === undefined
        ? "Run this in the folder where the sweep was started. Finished trials are kept."
        : "Run this in the folder where the comparison was made. Files that have not changed are not read again.",
    ),
    codeBlock("sh", input.command),
    // Only the configurations of an experiment file can be run one by one.
    ...(input.comparison !== undefined
      ? []
      : input.source.file === ""
        ? [paragraph(determinism(input.trials))]
        : rowCommands(input)),
  ];
}

function determinism(trials: ReportInput["trials"]): string {
  const free = trials.some(({ spec }) => spec.kind === "cliprpn" && !spec.settings.training.deterministic);
  const except = free ? ", except where training.deterministic is false" : "";
  return `On a CPU, with the same environment and number of threads, results are bit-for-bit reproducible${except}.`;
}

function rowCommands({ source, trials }: ReportInput): RootContent[] {
  const trust = trials.some(({ spec }) => loadsPickle(spec));
  const runs = groupBy(completedTrials(trials), ({ spec }) => spec.label);
  const rows = [...runs].map(([label, group]): Inline[] => {
    const [{ spec, outcome }] = group;
    return [
      label,
      code(rowCommand(source, spec, outcome.environment.device, trust)),
      spec.kind === "baseline" ? noValue : group.map((trial) => trial.spec.seed).join(", "),
    ];
  });
  const trained = trials.some(({ spec }) => spec.kind === "cliprpn");
  const withSeeds = trained ? " The results of all seeds are in the leaderboard." : "";
  return [
    paragraph(
      `Each command below runs one trial${trained ? ", training a ClipRPN from scratch," : ""} if you add another --runs-dir; in this one, the trial is finished.${trained ? " For the other seeds, change --seed." : ""}${withSeeds} ${determinism(trials)}`,
    ),
    ...longTable(
      ["configuration", "command", ...(trained ? ["seeds"] : [])],
      rows.map((row) => (trained ? row : row.slice(0, 2))),
      2,
      ", with their names as --setting",
    ),
  ];
}

/** `npx cliprpn train FILE --setting LABEL --seed N --device D`, with the sweep's `--set` overrides. */
export function rowCommand(
  source: ReportInput["source"],
  { kind, label, seed }: Pick<TrialSpec, "kind" | "label" | "seed">,
  device: string,
  trustWeights = false,
): string {
  const args = [
    source.file,
    ...source.sets.flatMap((set) => ["--set", set]),
    // A value that starts with a dash would be read as an option.
    ...(label.startsWith("-") ? [`--setting=${label}`] : ["--setting", label]),
    // A baseline runs once, with any number of seeds.
    ...(kind === "baseline" ? [] : ["--seed", String(seed)]),
    ...(trustWeights ? ["--trust-weights"] : []),
    ...["--device", device],
  ];
  return `npx cliprpn train ${args.map(quoteForShell).join(" ")}`;
}

/** Loading a .pt file can run code, so an experiment that names one needs --trust-weights. */
function loadsPickle(spec: TrialSpec): boolean {
  if (spec.kind !== "baseline" || spec.baseline.detector.kind !== "yolo") return false;
  return spec.baseline.detector.file.endsWith(".pt");
}
