import type { RootContent } from "mdast";
import type { Summary } from "../contract/generated/types.ts";
import { shellQuoted } from "../shell-quote.ts";
import { points } from "./format.ts";
import { bullets, code, codeBlock, heading, paragraph, table } from "./markdown.ts";
import { completedTrials, type ReportInput } from "./report-input.ts";

/** The commands that make the sweep, and each of its rows, again. */
export function reproduce({ command, source, trials }: ReportInput): RootContent[] {
  const rows = completedTrials(trials).map(({ spec, outcome }) => [
    spec.label,
    code(rowCommand(source, spec, outcome.environment.device)),
    points(outcome.metrics.acc_at_50),
  ]);
  return [
    heading(2, "Reproduce"),
    paragraph("From the folder in which the sweep was started; what is finished is kept:"),
    codeBlock("sh", command),
    paragraph(
      "One row alone, trained from its beginning in a folder of its own. On a CPU, with the same environment and the same number of threads, the figures are the same to the last bit:",
    ),
    table(["setting", "command", "Acc@0.5 on val, %"], rows, 2),
  ];
}

/** `npx cliprpn train FILE --setting LABEL --seed N --device D`, with the sweep's own changes to the file. */
export function rowCommand(
  source: ReportInput["source"],
  { label, seed }: { label: string; seed: number },
  device: string,
): string {
  const sets = source.sets.flatMap((set) => ["--set", set]);
  const args = [source.file, ...sets, "--setting", label, "--seed", String(seed), "--device", device];
  return `npx cliprpn train ${args.map(shellQuoted).join(" ")}`;
}

export function definitions(summary: Summary): RootContent[] {
  return [
    heading(2, "What the figures mean"),
    bullets([
      "A hit is IoU >= 0.5 between the best-scoring box, clipped to the picture, and the truth, in pixels of the original picture.",
      "Acc@t is the share of sentences with IoU >= t; Acc@0.5 is the headline, and Recall@1 is the same. mAcc is the mean of Acc@t over t = 0.5, 0.55, ..., 0.95.",
      "mIoU is the mean IoU; oIoU the sum of intersections over the sum of unions.",
      "Recall@k is the share of sentences with a hit among the k best boxes; pointing the share whose box has its centre inside the truth.",
      "A minimal pair is two sentences on one picture that differ in one word and have different answers; both must be right.",
      `Floors are computed on ${summary.split}: the one constant box that fits train best, the whole picture, and the best setting with its sentence blanked.`,
      "Checkpoints and settings are chosen on val.",
    ]),
  ];
}
