import type { Arguments, Context } from "../commands/command.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { BaselineSpec, TrainedYoloDetector, TrialSpec } from "../contract/generated/types.ts";
import type { ImageSize } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { imageSizeOf } from "../store/model-facts.ts";
import { liveEvent } from "./live-event.ts";
import { openEngine } from "./session.ts";

/** A baseline looks at the images themselves; a data set that is not prepared yet is so at this size. */
const anySize: ImageSize = { image_size_px: 224, resize: "squash" };

/** The size of images that a trial asks for. */
export function imageSizeFor(spec: TrialSpec): ImageSize {
  if (spec.kind === "cliprpn") {
    const { image_size_px, resize } = spec.settings;
    return { image_size_px, resize };
  }
  const { detector } = spec.baseline;
  return detector.kind === "rpn" ? imageSizeOf(detector.file) : anySize;
}

/**
 * Opens every detector once, and trains those that are to be trained and are not yet: what would fail a trial is found before
 * the first.
 */
export async function readyDetectors(
  trials: readonly TrialSpec[],
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<void> {
  const baselines = trials.filter(isBaseline);
  const distinct = new Map(baselines.map((spec) => [JSON.stringify(spec.baseline.detector), spec]));
  for (const spec of distinct.values()) {
    context.terminal.live(["opening the detectors"]);
    const { dataset, cache_dir, baseline } = spec;
    const { detector } = baseline;
    const open = (): Promise<unknown> =>
      engine.call(
        "check_detector",
        { settings: baseline, dataset, cache_dir },
        { onEvent: liveEvent(context.terminal) },
      );
    if (detector.kind !== "trained_yolo") await open();
    else
      await open().catch(async (error) => {
        if (!(error instanceof CliprpnError && error.code === "weights_missing")) throw error;
        await train({ detector, dataset, cache_dir }, args, context);
        await open();
      });
  }
}

type Training = { detector: TrainedYoloDetector } & Pick<BaselineSpec, "dataset" | "cache_dir">;

/** In a process of its own, which leaves nothing behind in the one that runs trials. */
async function train(training: Training, args: Arguments, context: Context): Promise<void> {
  const { terminal, signal } = context;
  const { architecture, num_epochs } = training.detector;
  terminal.info(
    `Training a small YOLO (${architecture}, ${num_epochs} epochs) on the boxes of ${training.dataset.name}'s train split, once.`,
  );
  const engine = await openEngine(args, context, [], ["yolo"]);
  try {
    await engine.call("train_detector", training, { signal, onEvent: liveEvent(terminal) });
  } finally {
    terminal.liveDone();
    await engine.close();
  }
}

function isBaseline(spec: TrialSpec): spec is BaselineSpec {
  return spec.kind === "baseline";
}
