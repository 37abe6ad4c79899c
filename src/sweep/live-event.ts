import type { TrialEvent } from "../contract/generated/types.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** What each phase of a trial is called to people. */
export const phases = {
  index: "reading the data set",
  image_features: "CLIP's features of images",
  text_features: "CLIP's features of sentences",
  training: "training",
  evaluation: "evaluating",
  detector_training: "training the detector",
  detections: "detecting",
  crops: "CLIP's vectors of boxes",
} as const;

/** Shows how far a call outside of a sweep is: extraction of a whole data set takes minutes. */
export function liveEvent(terminal: Terminal, before = ""): (event: TrialEvent) => void {
  return (event) => {
    if (event.type === "warning") terminal.warn(event.message);
    if (event.type === "progress")
      terminal.live([
        `${before}${phases[event.phase]} ${Math.round((100 * event.done) / Math.max(1, event.total))} %`,
      ]);
  };
}
