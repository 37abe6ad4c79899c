import type { TrialEvent } from "../../contract/generated/types.ts";
import type { Terminal } from "../../terminal/terminal.ts";

export type PhaseProgress = Extract<TrialEvent, { type: "progress" }>;

/** Shows the progress of a call outside a sweep: extracting the features of a whole dataset takes minutes. */
export function liveEvent(terminal: Terminal, prefix = ""): (event: TrialEvent) => void {
  return (event) => {
    if (event.type === "warning") terminal.warn(event.message);
    if (event.type === "progress") terminal.live([`${prefix}${describePhase(event)}`]);
  };
}

/** "extracting CLIP image features 40 %". */
export function describePhase({ phase, done, total }: PhaseProgress): string {
  return `${phases[phase]} ${Math.round((100 * done) / Math.max(1, total))} %`;
}

/** The phases of a trial, as people read them. */
const phases = {
  index: "reading the dataset",
  image_features: "CLIP image features",
  text_features: "CLIP text features",
  features_copy: "copying features to the machine's disk",
  training: "training",
  evaluation: "evaluating",
  detector_training: "training the detector",
  detections: "detecting",
  crops: "encoding the boxes",
} as const;
