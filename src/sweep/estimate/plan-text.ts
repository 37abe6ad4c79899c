import { count, counted, formatBytes, joinWords, wrapText } from "../../base/format.ts";
import type { DiskPart, SweepEstimate } from "../../contract/generated/types.ts";
import type { Plan } from "../../experiment/plan.ts";
import { timeLines } from "./describe-time.ts";
import { runs } from "./left-trials.ts";
import { planTable } from "./plan-table.ts";
import type { PlannedTrial } from "./planned-trials.ts";

/** What `sweep --dry-run` shows. */
export interface ShownPlan {
  plan: Pick<Plan, "name" | "question" | "trials" | "keep_models">;
  planned: readonly PlannedTrial[];
  estimate: SweepEstimate;
  /** The device of each slot; empty if it is not known. */
  slots: readonly string[];
  /** The command that measures what is not known. */
  preflight: string;
}

/** The plan of a sweep and what it takes, in lines of at most 80 columns. */
export function planText(shown: ShownPlan): string {
  const { plan, planned, estimate, preflight } = shown;
  return [
    ...wrapText(plan.question, columns),
    "",
    ...planTable(planned, estimate.basis, columns),
    "",
    ...facts("Trials", trialLines(shown)),
    ...facts("To make", makeLines(estimate)),
    ...facts("Disk", diskLines(estimate, plan)),
    ...facts("Time", timeLines(estimate, preflight)),
    "",
    `${counted(plan.trials.length, "trial")}, ${plan.name}; nothing was started`,
  ].join("\n");
}

const columns = 80;
const indent = 9;

/** Lines below a name. */
function facts(name: string, lines: readonly string[]): string[] {
  return lines
    .flatMap((line) =>
      wrapText(line, columns - indent - 2).map((text, index) => (index === 0 ? text : `  ${text}`)),
    )
    .map((text, index) => `${(index === 0 ? name : "").padEnd(indent)}${text}`);
}

function trialLines({ planned, slots, estimate }: ShownPlan): string[] {
  const num = (state: PlannedTrial["state"]): number => planned.filter((each) => each.state === state).length;
  const { num_trials, num_resumed } = estimate;
  const parts = [
    `${count(num_trials)} to run`,
    ...stateTexts.flatMap(([state, text]) => (num(state) > 0 ? [`${count(num(state))} ${text}`] : [])),
  ];
  const threads = planned.find(runs)?.spec.num_threads ?? 1;
  const places = [...new Set(slots)];
  const where =
    num_trials === 0
      ? []
      : slots.length === 0
        ? ["on a device that only Python knows: run `cliprpn setup`"]
        : [
            `on ${joinWords(places)}, ${slots.length === 1 ? "one at a time" : `${slots.length} at the same time`}, ${counted(threads, "thread")} each`,
          ];
  const owners = [
    ...new Set(planned.flatMap((each) => (each.state === "running_elsewhere" ? [each.owner] : []))),
  ];
  return [
    parts.join(", "),
    ...(num_resumed > 0
      ? [`${count(num_resumed)} of them from ${num_resumed === 1 ? "its" : "their"} last checkpoint`]
      : []),
    ...owners.slice(0, 3).map((owner) => `in another process: ${owner}`),
    ...where,
  ];
}

const stateTexts: [PlannedTrial["state"], string][] = [
  ["completed", "done"],
  ["stale", "done by other code (stale)"],
  ["failed", "failed earlier (--retry-failed runs them again)"],
  ["running_elsewhere", "run in another process"],
];

/** What has to be made before the trials, or by the first that needs it. */
function makeLines({ disk }: SweepEstimate): string[] {
  return disk.parts.flatMap((each) => {
    const text = madeTexts[each.part];
    return text === undefined ? [] : [`${text(each)}${sizeText(each)}`];
  });
}

type MadeText = (part: DiskPart) => string;

const madeTexts: Partial<Record<DiskPart["part"], MadeText>> = {
  images: (part) =>
    part.num === null
      ? "images to decode: their number is not known yet"
      : `${numText(part, "image")} to decode`,
  maps: (part) => `CLIP features of ${numText(part, "image")}`,
  views: (part) => `CLIP features of ${numText(part, "augmented view")}`,
  text: (part) => `CLIP features of ${numText(part, "expression")}`,
  detections: (part) => `detections in ${numText(part, "image")}`,
  embeddings: (part) => `CLIP embeddings of boxes in ${numText(part, "image")}`,
};

function numText({ num, at_most }: DiskPart, what: string): string {
  if (num === null) return `an unknown number of ${what}s`;
  return `${at_most ? "at most " : ""}${counted(num, what)}`;
}

function sizeText({ num, bytes }: DiskPart): string {
  if (bytes === null) return num === null ? "" : ", of unknown size";
  return bytes === 0 ? "" : `, ${formatBytes(bytes)}`;
}

function diskLines({ disk }: SweepEstimate, { keep_models }: ShownPlan["plan"]): string[] {
  const written = disk.parts.flatMap((each) => {
    const text = writtenTexts[each.part];
    if (text === undefined) return [];
    const name = each.part === "models" ? `${text} (keep_models ${keep_models})` : text;
    return [`${name} ${each.bytes === null ? "of unknown size" : formatBytes(each.bytes)}`];
  });
  const systems = disk.file_systems.map(({ folder, needed_bytes, free_bytes, is_complete }) => {
    const needed = `${is_complete ? "" : "at least "}${formatBytes(needed_bytes)}`;
    const fits = needed_bytes > free_bytes ? "DOES NOT FIT: " : "";
    return `${fits}${needed} at the peak, ${formatBytes(free_bytes)} free: ${folder}`;
  });
  return [...(written.length === 0 ? [] : [written.join(", ")]), ...systems];
}

const writtenTexts: Partial<Record<DiskPart["part"], string>> = {
  models: "models",
  predictions: "predictions",
  answers: "answers to other splits",
  checkpoints: "checkpoints while trials run",
};
