/** Figures as rows of the table; pure. */
import type { SweepMemory } from "./cli.ts";
import type { EngineFigures } from "./engine.ts";
import { median } from "./statistics.ts";

export interface Row {
  what: string;
  ours: string;
  other: string;
  figure: string;
  target: string;
  /** Undefined where there is nothing to meet. */
  met?: boolean;
}

/** What `bench.sweep` prints. */
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

/** What `bench.rpn` prints. */
export interface RpnFigures {
  batch_size: number;
  num_threads: number;
  ms: Record<
    | "their_step"
    | "our_step_with_all_proposals"
    | "our_step_with_best_proposal"
    | "our_losses"
    | "their_answer"
    | "our_answer"
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
      what: `sweep of ${num_trials} trials, \`${row.preset}\`, ${num_sentences.train} + ${num_sentences.val} sentences; the other side: the original's way`,
      ours: `${seconds(row.ours_s)} (images ${seconds(prepare_s)}, features ${seconds(features_s)}, trial ${seconds(row.trial_s)})`,
      other: `${seconds(row.original_s)} (trial ${seconds(row.original_trial_s)}: ${parts.join(", ")})`,
      figure: times(row.ratio),
      ...(row.preset === "default" ? atLeast(row.ratio, 8) : { target: "as measured" }),
    };
  });
}

/** What `bench.baseline` prints. */
export interface BaselineFigures {
  num_sentences: number;
  num_images: number;
  num_boxes: number;
  original_s: number;
  cold_s: number;
  warm_s: number;
}

/** Of images with as many sentences as RefCOCOg's, and of any. */
export function baselineRows([many, any]: [BaselineFigures, BaselineFigures]): Row[] {
  const judged = baselineRow(many, `about as many an image as in RefCOCOg; ${otherWay}`);
  return [
    { ...judged, ...atLeast(many.original_s / many.cold_s, 5) },
    baselineRow(any, "the scenes as they come; the other side: the same"),
  ];
}

const otherWay = "the other side: one image, one crop, one sentence at a time, through PIL";

function baselineRow(figures: BaselineFigures, about: string): Row {
  const { num_sentences, num_images, num_boxes, original_s, cold_s, warm_s } = figures;
  const rate = (s: number): string => `${(num_sentences / s).toFixed(1)}/s`;
  return {
    what: `sentences of a YOLO + CLIP baseline, ${num_sentences} on ${num_images} images with ${num_boxes} boxes each, ${about}`,
    ours: `${rate(cold_s)} (${seconds(cold_s)}), nothing kept; ${rate(warm_s)} a second time`,
    other: `${rate(original_s)} (${seconds(original_s)})`,
    figure: `${times(original_s / cold_s)}; a second time ${times(original_s / warm_s)}`,
    target: "as measured",
  };
}

export function engineRows(figures: EngineFigures): Row[] {
  const [trial, plain] = [figures.trial_s, figures.plain_loop_s].map((all) => `${seconds(median(all))}`);
  const call = `p50 ${ms(figures.call_p50_ms)}, p99 ${ms(figures.call_p99_ms)}`;
  return [
    {
      what: `trial through engine and worker; the other side: a plain PyTorch loop on the same features (same losses; median of ${figures.trial_s.length} pairs)`,
      ours: trial ?? "",
      other: plain ?? "",
      figure: `${((figures.ratio - 1) * 100).toFixed(1)} % more`,
      target: "<= 10 %",
      met: figures.ratio <= 1.1,
    },
    {
      what: "bridge call through a worker, checked on both ends; the other side: an echo through the same processes (Node's channel, pythonia), in turn",
      ours: call,
      other: `p50 ${ms(figures.echo_p50_ms)}`,
      figure: ms(figures.call_p50_ms),
      ...atMost(figures.call_p50_ms, 0.3),
    },
    {
      what: "engine's cost of a trial that does nothing, durable",
      ours: `${ms(figures.no_op_trial_ms)} (${ms(figures.no_op_set_up_ms)} before it, for its folder and spec)`,
      other: "",
      figure: ms(figures.no_op_trial_ms + figures.no_op_set_up_ms),
      ...atMost(figures.no_op_trial_ms + figures.no_op_set_up_ms, 5),
    },
  ];
}

export function rpnRows({ batch_size, num_threads, ms: took }: RpnFigures): Row[] {
  const where = `head outputs given, batch ${batch_size}, ${num_threads} threads; the other side: torchvision's`;
  const parts = `labels ${ms(took.labels)}, with sampling ${ms(took.labels_and_sample)}, with losses ${ms(took.our_losses)}`;
  const row = (what: string, ours: number, other: number): Row => ({
    what: `${what}, ${where}`,
    ours: ms(ours),
    other: ms(other),
    figure: times(other / ours),
    target: "as measured",
  });
  const step = row(
    "labels, sampling, losses, the best proposal",
    took.our_step_with_best_proposal,
    took.their_step,
  );
  const all = row(
    "the same, with all proposals after suppression",
    took.our_step_with_all_proposals,
    took.their_step,
  );
  return [
    {
      ...step,
      ours: `${step.ours} (${parts})`,
      ...atLeast(took.their_step / took.our_step_with_best_proposal, 5),
    },
    { ...all, ours: `${all.ours} (proposals ${ms(took.our_proposals)})` },
    row("an answer: the best proposal", took.our_answer, took.their_answer),
  ];
}

export function helpRow({ help_ms, node_ms }: { help_ms: number; node_ms: number }): Row {
  return {
    what: "`node bin/cliprpn.js --help`; the other side: `node -e 0`",
    ours: ms(help_ms),
    other: ms(node_ms),
    figure: ms(help_ms),
    ...atMost(help_ms, 150),
  };
}

export function memoryRows({ seconds: took, peak_bytes: { cli, worker, python } }: SweepMemory): Row[] {
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    {
      what: `peak memory in a sweep of both presets by the command line (${seconds(took)}, report included)`,
      ours: `CLI ${mib(cli)}, worker ${mib(worker)} + its Python ${mib(python)}`,
      other: "",
      figure: mib(worker + python),
      target: "reported",
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
