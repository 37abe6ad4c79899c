import type { RootContent } from "mdast";
import { shellQuoted } from "../base/shell-quote.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { code, codeBlock, heading, paragraph, table } from "./markdown.ts";
import { points } from "./points.ts";
import { completedTrials, type ReportInput } from "./report-input.ts";

/** The commands that make the sweep, and each of its rows, again. */
export function reproduce(input: ReportInput): RootContent[] {
  return [
    heading(2, "Reproduce"),
    paragraph("From the folder in which the sweep was started; what is finished is kept:"),
    codeBlock("sh", input.command),
    ...(input.source.file === "" ? [paragraph(sameFigures)] : eachRow(input)),
  ];
}

/** Where a file holds the sweep's settings, each can be asked for alone. */
function eachRow({ source, trials }: ReportInput): RootContent[] {
  const trust = trials.some(({ spec }) => runsCode(spec));
  const rows = completedTrials(trials).map(({ spec, outcome }) => [
    spec.label,
    code(rowCommand(source, spec, outcome.environment.device, trust)),
    points(outcome.metrics.acc_at_50),
  ]);
  const trained = trials.some(({ spec }) => spec.kind === "cliprpn");
  return [
    paragraph(
      `One row alone, ${trained ? "a ClipRPN trained from its beginning, " : ""}in a folder of its own. ${sameFigures}`,
    ),
    table(["setting", "command", "Acc@0.5 on val, %"], rows, 2),
  ];
}

const sameFigures =
  "On a CPU, with the same environment and the same number of threads, the figures are the same to the last bit.";

/** `npx cliprpn train FILE --setting LABEL --seed N --device D`, with the sweep's own changes to the file. */
export function rowCommand(
  source: ReportInput["source"],
  { kind, label, seed }: Pick<TrialSpec, "kind" | "label" | "seed">,
  device: string,
  trustWeights = false,
): string {
  const args = [
    source.file,
    ...source.sets.flatMap((set) => ["--set", set]),
    ...["--setting", label],
    // A baseline runs once, whatever the seeds.
    ...(kind === "baseline" ? [] : ["--seed", String(seed)]),
    ...(trustWeights ? ["--trust-weights"] : []),
    ...["--device", device],
  ];
  return `npx cliprpn train ${args.map(shellQuoted).join(" ")}`;
}

/** A .pt runs code when it is loaded: a file that names one is read with --trust-weights only. */
function runsCode(spec: TrialSpec): boolean {
  if (spec.kind !== "baseline" || spec.baseline.detector.kind !== "yolo") return false;
  return spec.baseline.detector.file.endsWith(".pt");
}
