import type { RootContent } from "mdast";
import { counted, formatBytes, formatDuration, wrapText } from "../base/format.ts";
import type { Preflight, ProjectedPart, SweepProjection, Timing } from "../contract/generated/types.ts";
import { bullets, code, codeBlock, heading, images, paragraph, table } from "../report/markdown.ts";
import type { CheckResult } from "./check.ts";

/** Names of the checks, as people read them. */
const checkTitles: Record<CheckResult["check"], string> = {
  weights: "Weights of CLIP",
  counts: "Counts of splits",
  boxes: "Boxes to look at",
  crops: "CLIP on crops",
  overfit: "Overfitting",
  parity: "CPU and CUDA",
  baseline: "Baseline",
  speed: "Time, memory, disk",
};

const statuses: Record<CheckResult["status"], string> = {
  passed: "passed",
  failed: "FAILED",
  not_checked: "not checked",
};

/** A check on the terminal: its result and name, then what was found and what to do, in lines of at most 80 columns. */
export function checkLines({ check, status, found, fix }: CheckResult): string {
  const texts = [found, ...(fix === null ? [] : [`What to do: ${fix}.`])];
  const lines = texts.flatMap((text) => wrapText(text, columns - indent.length));
  return [
    `${statuses[status].padEnd(indent.length)}${checkTitles[check]}`,
    ...lines.map((line) => `${indent}${line}`),
  ].join("\n");
}

const columns = 79;
const indent = " ".repeat(13);

/**
 * PREFLIGHT.md.
 *
 * @param image file name of the drawn boxes; undefined if there is none.
 */
export function preflightBlocks(preflight: Preflight, image: string | undefined): RootContent[] {
  const { checks, name, question, dataset, projection } = preflight;
  const num = (status: CheckResult["status"]): number =>
    checks.filter((each) => each.status === status).length;
  const fixes = checks.flatMap(({ check, fix }) => (fix === null ? [] : [`${checkTitles[check]}: ${fix}.`]));
  return [
    heading(1, `Preflight of ${name}`),
    paragraph(
      `${num("passed")} of ${counted(checks.length, "check")} passed, ${num("failed")} failed, ${num("not_checked")} could not be checked.`,
    ),
    table(
      ["check", "result", "time", "found"],
      checks.map(({ check, status, found, duration_ms }) => [
        checkTitles[check],
        statuses[status],
        formatDuration(duration_ms),
        found,
      ]),
      4,
    ),
    ...(fixes.length === 0 ? [] : [heading(2, "What to do"), bullets(fixes)]),
    ...measured(checks),
    ...(projection === null ? [] : projected(projection)),
    heading(2, "What was checked"),
    paragraph(question),
    bullets([
      ["Dataset: ", dataset.name, ", id ", code(dataset.id), `, split by ${dataset.split_by}.`],
      ["CLIP: ", preflight.backbone.name, ", weights ", code(preflight.backbone.weights_id), "."],
      ...machine(preflight),
    ]),
    codeBlock("sh", preflight.command),
    ...(image === undefined
      ? []
      : [
          heading(2, "Boxes"),
          images([{ file: image, alt: `expressions of ${dataset.name} with their boxes` }]),
        ]),
  ];
}

function measured(checks: readonly CheckResult[]): RootContent[] {
  const rows = checks.flatMap(({ check, figures }) =>
    figures.map(({ name, value, unit, low, high }) => [
      checkTitles[check],
      name,
      number(value, unit),
      range(low, high, unit),
    ]),
  );
  return rows.length === 0
    ? []
    : [heading(2, "Measured"), table(["check", "figure", "value", "passes"], rows, 2)];
}

function number(value: number, unit: string): string {
  const digits =
    Math.abs(value) >= 1e-3 || value === 0 ? Number(value.toPrecision(4)).toString() : value.toExponential(1);
  return unit === "" ? digits : `${digits} ${unit}`;
}

function range(low: number | null, high: number | null, unit: string): string {
  if (low === null && high === null) return "–";
  if (low === null) return `at most ${number(high ?? 0, unit)}`;
  if (high === null) return `at least ${number(low, unit)}`;
  return `${number(low, unit)} to ${number(high, unit)}`;
}

/** Names of the parts of a sweep, as people read them. */
const partTitles: Record<ProjectedPart["part"], string> = {
  start: "start",
  features: "features that are not in the cache",
  training: "training",
  selection: "selection of the epoch on val",
  saving: "saving models",
  evaluation: "evaluation on val",
  baselines: "baselines on val",
  other_splits: "evaluation on other splits",
  report: "figures of the report",
};

function projected(projection: SweepProjection): RootContent[] {
  const { num_workers, num_workers_timed } = projection;
  const workers =
    num_workers_timed === num_workers
      ? `${counted(num_workers, "worker")} at the same time, as in the sweep`
      : `${num_workers_timed} of ${num_workers} workers at the same time: with all, trials may be slower`;
  return [
    heading(2, "The whole sweep"),
    ...parts(projection),
    bullets([
      `Disk: ${formatBytes(projection.features_bytes)} for features, ${formatBytes(projection.baselines_bytes)} for detections and embeddings, ${formatBytes(projection.models_bytes)} for models, ${formatBytes(projection.predictions_bytes)} for predictions.`,
      `Memory: ${describeMemory(projection)}.`,
      ...(projection.not_projected.length === 0
        ? []
        : [`Not counted: ${projection.not_projected.join("; ")}.`]),
    ]),
    ...configurations(projection),
    paragraph(
      `How it was projected: each configuration was trained, saved and evaluated on a sample of images with full batches, by ${workers}; the first epoch of the sample is a warm-up. Features and baselines were computed for a sample, with an empty cache. The figures of a report were computed for made answers to all of val. Where trials of a configuration have completed on this device, what they took counts instead. The range is from the fastest to the slowest of what was measured. It does not know what else this machine will do meanwhile. Training on a whole dataset reads its features from files, faster if ${formatBytes(projection.file_cache_bytes)} of memory are free for them. Not counted: drawing the report (seconds), and trials that fail and run again.`,
    ),
  ];
}

function parts({ parts, total, num_workers }: SweepProjection): RootContent[] {
  const row = (name: string, amount: string, { ms, low_ms, high_ms }: Timing): string[] => [
    name,
    amount,
    formatDuration(ms),
    `${formatDuration(low_ms)} to ${formatDuration(high_ms)}`,
  ];
  if (parts.length === 0) return [paragraph("Nothing is left to do.")];
  return [
    table(
      ["part", "amount", "time", "range"],
      [
        ...parts.map((each) => row(partTitles[each.part], each.amount, each)),
        row("in total", `trials shared by ${counted(num_workers, "worker")}`, total),
      ],
      2,
    ),
  ];
}

function configurations({ configurations }: SweepProjection): RootContent[] {
  if (configurations.length === 0) return [];
  const rows = configurations.map((each) => [
    each.label,
    `${each.num_trials}`,
    `${each.num_completed}`,
    `${each.num_steps}`,
    `${each.step.ms.toFixed(1)} ms`,
    formatDuration(each.trial.ms),
    `${formatDuration(each.trial.low_ms)} to ${formatDuration(each.trial.high_ms)}`,
  ]);
  return [table(["configuration", "trials", "done", "steps of a trial", "step", "trial", "range"], rows)];
}

function describeMemory({ process_memory_bytes, device_memory_bytes }: SweepProjection): string {
  const device = device_memory_bytes === null ? "" : `, ${formatBytes(device_memory_bytes)} on the device`;
  return `${formatBytes(process_memory_bytes)} in the processes${device}`;
}

function machine({
  machine: { environment, devices, device_memory_bytes, cuda_version },
  ...facts
}: Preflight): string[] {
  const { device, device_name, torch, torchvision, open_clip, python, platform, num_threads } = environment;
  const memory = device_memory_bytes === null ? "" : `, ${formatBytes(device_memory_bytes)}`;
  return [
    `Device: ${device} (${device_name}${memory}); torch finds ${devices.join(", ")}.`,
    `Machine: ${platform}, ${counted(facts.num_cores, "core")}, ${formatBytes(facts.memory_bytes)} of memory, ${counted(num_threads, "thread")}.`,
    `Versions: cliprpn ${facts.cliprpn_version} (code ${facts.sources_sha256.slice(0, 12)}), torch ${torch}${cuda_version === null ? "" : ` with CUDA ${cuda_version}`}, torchvision ${torchvision}, open_clip ${open_clip}, Python ${python}, Node ${facts.node_version}.`,
  ];
}
