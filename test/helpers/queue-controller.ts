/**
 * Runs trials over a shared folder until it is killed: `queue-controller.ts RUNS LABEL...`. It starts no pilots. Prints
 * `started LABEL`, `ended LABEL STATE`, `found LABEL` and `fault CODE`.
 */

import { CliprpnError } from "../../src/contract/errors.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { SweepController } from "../../src/sweep/controller.ts";
import { TrialClaims } from "../../src/sweep/trial-claims.ts";
import { GridSource } from "../../src/sweep/trial-source.ts";
import { fakeSpec } from "./fake-spec.ts";
import { queueIn } from "./launcher-kinds.ts";

const [runsDir = "", ...labels] = process.argv.slice(2);
const trials = labels.map((label, index) => fakeSpec(label, index, runsDir));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const claims = new TrialClaims(trials, { runsDir, keep_models: "all", command: "test" });
const controller = new SweepController({
  source: new GridSource(trials),
  claims,
  slots: labels,
  launch: ({ tell }) =>
    new QueueLauncher({
      folder: queueIn(runsDir),
      runsDir,
      numThreads: null,
      maxAttempts: labels.length,
      tell,
      graceMs: 500,
    }),
  watcher: {
    started: ({ spec }) => say(`started ${spec.label}`),
    event: () => undefined,
    finished: ({ spec }, _slot, outcome) => say(`ended ${spec.label} ${outcome?.state}`),
    again: () => undefined,
    found: ({ label }) => say(`found ${label}`),
    waiting: () => undefined,
  },
  record: () => undefined,
});
try {
  await controller.run(new AbortController().signal);
} catch (error) {
  say(`fault ${error instanceof CliprpnError ? error.code : String(error)}`);
} finally {
  await claims.close();
}
