import { wrapColumns } from "../../base/display-width.ts";
import { count, counted, formatBytes, joinWords } from "../../base/format.ts";
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
    ...wrapColumns(plan.question, columns),
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
      wrapColumns(line, columns - indent - 2).map((text, index) => (index === 0 ? text : `  ${text}`)),
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
    ...owners.slice(0, 3).map((owner) => `running elsewhere: ${owner}`),
    ...where,
  ];
}

const stateTexts: [PlannedTrial["state"], string][] = [
  ["completed", "done"],
  ["stale", "done by other code (stale)"],
  ["failed", "failed earlier (--retry-failed runs them again)"],
  ["running_elsewhere", "running in another process"],
  ["later", "left out, which have not run"],
];

/** What has to be made before the trials, or by the first that needs it. */
function makeLines({ disk }: SweepEstimate): string[] {
  const made = disk.parts.filter(({ part }) => part in madeTexts);
  const counted = made.filter(({ num }) => num !== null).map((each) => `${numText(each)}${sizeText(each)}`);
  const unknown = made.filter(({ num }) => num === null).map(({ part }) => madeTexts[part]?.what ?? "");
  return [
    ...counted,
    ...(unknown.length === 0
      ? []
      : [`${joinWords(unknown)}: their number is known once the dataset is prepared`]),
  ];
}

/** What is made, and of what. */
const madeTexts: Partial<Record<DiskPart["part"], { what: string; of: string }>> = {
  images: { what: "images to decode", of: "images" },
  maps: { what: "CLIP features of images", of: "images" },
  views: { what: "CLIP features of augmented views", of: "augmented views" },
  text: { what: "CLIP features of expressions", of: "expressions" },
  detections: { what: "detections in images", of: "images" },
  embeddings: { what: "CLIP embeddings of boxes in images", of: "images" },
};

/** "CLIP features of at most 360 images". */
function numText({ part, num, at_most }: DiskPart): string {
  const { what, of } = madeTexts[part] ?? { what: "", of: "" };
  const number = `${at_most ? "at most " : ""}${count(num ?? 0)} ${num === 1 ? of.slice(0, -1) : of}`;
  return what.replace(of, number);
}

function sizeText({ num, bytes }: DiskPart): string {
  if (bytes === null) return num === null ? "" : ", of unknown size";
  return bytes === 0 ? "" : `, ${formatBytes(bytes)}`;
}

function diskLines({ disk }: SweepEstimate, { keep_models }: ShownPlan["plan"]): string[] {
  const nameOf = ({ part }: DiskPart): string =>
    part === "models" ? `models (keep_models ${keep_models})` : (writtenTexts[part] ?? "");
  const written = disk.parts.filter(({ part }) => writtenTexts[part] !== undefined);
  const known = written.flatMap((each) =>
    each.bytes === null ? [] : [`${nameOf(each)} ${formatBytes(each.bytes)}`],
  );
  const unknown = written.filter(({ bytes }) => bytes === null).map(nameOf);
  const systems = disk.file_systems.map(({ folder, needed_bytes, free_bytes, is_complete }) => {
    const least = needed_bytes === 0 ? "an unknown size" : `at least ${formatBytes(needed_bytes)}`;
    const fits = needed_bytes > free_bytes ? "DOES NOT FIT: " : "";
    return `${fits}${is_complete ? formatBytes(needed_bytes) : least} at the peak, ${formatBytes(free_bytes)} free: ${folder}`;
  });
  return [
    ...(known.length === 0 ? [] : [known.join(", ")]),
    ...(unknown.length === 0 ? [] : [`not known before the first trial: ${joinWords(unknown)}`]),
    ...systems,
  ];
}

const writtenTexts: Partial<Record<DiskPart["part"], string>> = {
  models: "models",
  predictions: "predictions",
  answers: "answers to other splits",
  checkpoints: "checkpoints while trials run",
};
