/**
 * Runs trials in a process of its own, which prints `started LABEL`, `ended LABEL STATE`, `found LABEL` and `fault CODE`: for tests that
 * kill it. With $PREPARING, it first makes what trials share, as a trial with this label would end, and prints `preparing N` and
 * `prepared N STATE`.
 */
import { CliprpnError } from "../../src/contract/errors.ts";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Launcher } from "../../src/engine/launcher.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { prepareFeatures } from "../../src/sweep/prepare/prepare-features.ts";
import { SweepController } from "../../src/sweep/run/controller.ts";
import { TrialClaims } from "../../src/sweep/run/trial-claims.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";
import { fakeSpec } from "./fake-spec.ts";

export async function runController(
  runsDir: string,
  labels: string[],
  launch: (options: LaunchOptions) => Launcher,
): Promise<void> {
  const trials = labels.map((label, index) => fakeSpec(label, index, runsDir));
  const preparing = process.env.PREPARING;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const claims = new TrialClaims(trials, { runsDir, keep_models: "all", command: "test" });
  const controller = new SweepController({
    source: new GridSource(trials),
    claims,
    slots: labels,
    launch,
    watcher: {
      started: ({ spec }) => say(`started ${spec.label}`),
      event: () => undefined,
      finished: ({ spec }, _slot, outcome) => say(`ended ${spec.label} ${outcome?.state}`),
      again: () => undefined,
      found: ({ label }) => say(`found ${label}`),
      waiting: () => undefined,
    },
    record: () => undefined,
    ...(preparing === undefined
      ? {}
      : {
          prepare: (launcher, _, signal) => prepare(fakeSpec(preparing, 99, runsDir), launcher, signal, say),
        }),
  });
  try {
    await controller.run(new AbortController().signal);
  } catch (error) {
    say(`fault ${error instanceof CliprpnError ? error.code : String(error)}`);
  } finally {
    await claims.close();
  }
}

async function prepare(
  spec: TrialSpec,
  launcher: Launcher,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  await prepareFeatures([spec], {
    store: new SweepStore(spec.cache_dir, "test"),
    launcher,
    slots: ["cpu"],
    watcher: {
      preparationWaits: () => undefined,
      preparationStarted: (attempt) => say(`preparing ${attempt}`),
      preparationEvent: () => undefined,
      preparationEnded: (attempt, end) => say(`prepared ${attempt} ${end?.state}`),
    },
    record: () => undefined,
    signal,
  });
}
