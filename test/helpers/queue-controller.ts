/** Runs trials over a shared folder until it is killed: `queue-controller.ts RUNS LABEL...`. It starts no pilots. */
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { queueIn } from "./launcher-kinds.ts";
import { runController } from "./run-controller.ts";

const [runsDir = "", ...labels] = process.argv.slice(2);
await runController(
  runsDir,
  labels,
  ({ tell }) =>
    new QueueLauncher({
      folder: queueIn(runsDir),
      runsDir,
      numThreads: null,
      maxAttempts: labels.length,
      tell,
      graceMs: 500,
    }),
);
