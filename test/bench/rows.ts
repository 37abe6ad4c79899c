/** Measurements as rows of the results table; pure. */
import type { SweepMemory } from "./cli.ts";
import type { EngineFigures } from "./engine.ts";
import { median } from "./statistics.ts";

export interface Row {
  what: string;
  ours: string;
  /** What it is compared with; `what` says which. */
  baseline: string;
  result: string;
  target: string;
  /** Undefined if there is no target. */
  met?: boolean;
}

/** Output of `bench.sweep`. */
export interface SweepFigures {
  num_trials: number;
  prepare_s: number;
  features_s: number;
  num_sentences: { train: number; val: number };
  rows: {
    preset: string;
    trial_s: number;
    ours_s: number;
    original_trial_s: number;
    original_parts_s: Record<string, number>;
    original_s: number;
    ratio: number;
  }[];
}

/** Output of `bench.rpn`. */
export interface RpnFigures {
  batch_size: number;
  num_threads: number;
  ms: Record<
    | "their_step"
    | "our_step_with_all_proposals"
    | "our_step_with_best_proposal"
    | "our_losses"
    | "their_inference"
    | "our_inference"
    | "labels"
    | "labels_and_sample"
    | "our_proposals",
    number
  >;
}

export function sweepRows({ num_trials, prepare_s, features_s, num_sentences, rows }: SweepFigures): Row[] {
  return rows.map((row) => {
    const parts = Object.entries(row.original_parts_s).map(([part, s]) => `${part} ${seconds(s)}`);
    return {
      what: `sweep of ${num_trials} trials, \`${row.preset}\`, ${num_sentences.train} + ${num_sentences.val} expressions; baseline: the same sweep by ClipRPN (Trento)`,
      ours: `${seconds(row.ours_s)} (images ${seconds(prepare_s)}, features ${seconds(features_s)}, trial ${seconds(row.trial_s)})`,
      baseline: `${seconds(row.original_s)} (trial ${seconds(row.original_trial_s)}: ${parts.join(", ")})`,
      result: times(row.ratio),
      ...(row.preset === "default" ? atLeast(row.ratio, 8) : { target: "none" }),
    };
  });
}

/** Output of `bench.baseline`. */
export interface BaselineFigures {
  num_sentences: number;
  num_images: number;
  num_boxes: number;
  original_s: number;
  cold_s: number;
  warm_s: number;
}

/** For images with about as many expressions as in RefCOCOg, and for all images. */
export function baselineRows([dense, all]: [BaselineFigures, BaselineFigures]): Row[] {
  const row = baselineRow(
    dense,
    "about as many per image as in RefCOCOg; baseline: one image, one crop, one expression at a time, with PIL",
  );
  return [
    { ...row, ...atLeast(dense.original_s / dense.cold_s, 5) },
    baselineRow(all, "all scenes; baseline: the same"),
  ];
}

function baselineRow(figures: BaselineFigures, about: string): Row {
  const { num_sentences, num_images, num_boxes, original_s, cold_s, warm_s } = figures;
  const rate = (s: number): string => `${(num_sentences / s).toFixed(1)}/s`;
  return {
    what: `expressions per second of a YOLO + CLIP baseline: ${num_sentences} on ${num_images} images with ${num_boxes} boxes each, ${about}`,
    ours: `${rate(cold_s)} (${seconds(cold_s)}) with an empty cache; ${rate(warm_s)} in a second run`,
    baseline: `${rate(original_s)} (${seconds(original_s)})`,
    result: `${times(original_s / cold_s)}; second run ${times(original_s / warm_s)}`,
    target: "none",
  };
}

export function engineRows(figures: EngineFigures): Row[] {
  const [trial, plain] = [figures.trial_s, figures.plain_loop_s].map((durations) =>
    seconds(median(durations)),
  );
  const call = `p50 ${ms(figures.call_p50_ms)}, p99 ${ms(figures.call_p99_ms)}`;
  return [
    {
      what: `a trial through engine and worker; baseline: a plain PyTorch loop on the same features (same losses; median of ${figures.trial_s.length} pairs)`,
      ours: trial ?? "",
      baseline: plain ?? "",
      result: `${((figures.ratio - 1) * 100).toFixed(1)} % more`,
      target: "<= 10 %",
      met: figures.ratio <= 1.1,
    },
    {
      what: "a bridge call through a worker, validated on both ends; baseline: an echo through the same processes (Node's channel, pythonia), alternating",
      ours: call,
      baseline: `p50 ${ms(figures.echo_p50_ms)}`,
      result: ms(figures.call_p50_ms),
      ...atMost(figures.call_p50_ms, 0.3),
    },
    {
      what: "engine overhead of an empty trial, synced to disk",
      ours: `${ms(figures.no_op_trial_ms)} (${ms(figures.no_op_set_up_ms)} before it to write the sweep)`,
      baseline: "",
      result: ms(figures.no_op_trial_ms + figures.no_op_set_up_ms),
      ...atMost(figures.no_op_trial_ms + figures.no_op_set_up_ms, 5),
    },
  ];
}

export function rpnRows({ batch_size, num_threads, ms: durations }: RpnFigures): Row[] {
  const where = `head outputs given, batch ${batch_size}, ${num_threads} threads; baseline: torchvision`;
  const parts = `labels ${ms(durations.labels)}, with sampling ${ms(durations.labels_and_sample)}, with losses ${ms(durations.our_losses)}`;
  const row = (what: string, ours: number, torchvision: number): Row => ({
    what: `${what}, ${where}`,
    ours: ms(ours),
    baseline: ms(torchvision),
    result: times(torchvision / ours),
    target: "none",
  });
  const step = row(
    "labels, sampling, losses, the best proposal",
    durations.our_step_with_best_proposal,
    durations.their_step,
  );
  const all = row(
    "the same, with all proposals after suppression",
    durations.our_step_with_all_proposals,
    durations.their_step,
  );
  return [
    {
      ...step,
      ours: `${step.ours} (${parts})`,
      ...atLeast(durations.their_step / durations.our_step_with_best_proposal, 5),
    },
    { ...all, ours: `${all.ours} (proposals ${ms(durations.our_proposals)})` },
    row("inference: the best proposal", durations.our_inference, durations.their_inference),
  ];
}

export function helpRow({ help_ms, node_ms }: { help_ms: number; node_ms: number }): Row {
  return {
    what: "`node bin/cliprpn.js --help`; baseline: `node -e 0`",
    ours: ms(help_ms),
    baseline: ms(node_ms),
    result: ms(help_ms),
    ...atMost(help_ms, 150),
  };
}

export function memoryRows({ seconds: duration_s, peak_bytes: { cli, worker, python } }: SweepMemory): Row[] {
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    {
      what: `peak memory of a sweep with both presets (${seconds(duration_s)}, including the report)`,
      ours: `CLI ${mib(cli)}, worker ${mib(worker)} + its Python ${mib(python)}`,
      baseline: "",
      result: mib(worker + python),
      target: "none",
    },
  ];
}

function atLeast(ratio: number, limit: number): Pick<Row, "target" | "met"> {
  return { target: `>= ${limit}`, met: ratio >= limit };
}

function atMost(value_ms: number, limit: number): Pick<Row, "target" | "met"> {
  return { target: `<= ${limit} ms`, met: value_ms <= limit };
}

function times(ratio: number): string {
  return `${ratio.toFixed(1)} times`;
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
