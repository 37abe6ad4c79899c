import { joinWords } from "../../base/format.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import { QueueLauncher } from "../../engine/queue/queue-launcher.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { describeSlots, slotsFor } from "../choose-slots.ts";
import type { RunContext } from "../run-context.ts";
import type { Place } from "./place.ts";
import { queueOptions } from "./queue-options.ts";
import { onRay } from "./ray-place.ts";
import { onSlurm } from "./slurm-place.ts";

/** @throws CliprpnError bad_input. */
export async function openPlace(
  waiting: readonly TrialSpec[],
  engine: Engine,
  store: SweepStore,
  run: RunContext,
): Promise<Place> {
  switch (run.engine ?? "local") {
    case "local":
      return onThisMachine(waiting, engine, run);
    case "queue":
      return onWorkersThatJoin(waiting, store, run);
    case "slurm":
      return onSlurm(waiting, engine, store, run);
    case "ray":
      return onRay(waiting, engine, store, run);
  }
}

async function onThisMachine(waiting: readonly TrialSpec[], engine: Engine, run: RunContext): Promise<Place> {
  const slots = await slotsFor(waiting, engine, run);
  const noGpu = run.device === "auto" && waiting[0]?.device === "cpu" ? " (torch finds no GPU)" : "";
  return {
    slots,
    description: `on ${joinWords([...new Set(slots)])}${noGpu}, ${describeSlots(slots, waiting)}`,
    isElsewhere: false,
    launch: (options) => engine.launch(options),
  };
}

/** Workers of other commands, maybe on other machines: `cliprpn worker --join`. */
function onWorkersThatJoin(waiting: readonly TrialSpec[], store: SweepStore, run: RunContext): Place {
  const number = Math.max(1, Math.min(run.numWorkers ?? waiting.length, waiting.length));
  return {
    slots: Array.from({ length: number }, () => "a worker that joins"),
    description: "on workers that join",
    isElsewhere: true,
    launch: ({ slots, tell }) =>
      new QueueLauncher({
        ...queueOptions(waiting, store, run),
        maxAttempts: slots.length,
        tell,
        pilots: {
          want: (_, pilots) =>
            pilots.length > 0 // One that refused says why.
              ? undefined
              : `none has joined; run \`cliprpn worker --join ${store.folder}\` on each machine that sees this folder`,
          close: async () => undefined,
        },
      }),
  };
}
