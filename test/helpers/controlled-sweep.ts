import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { LockOwner } from "../../src/base/owner-lock.ts";
import { readOwner } from "../../src/base/owner-lock.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { ErrorCode, TrialSpec } from "../../src/contract/generated/types.ts";
import type { Attempt, AttemptEnd } from "../../src/engine/launcher.ts";
import type { NewEntry } from "../../src/store/journal.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type ControllerOptions, SweepController } from "../../src/sweep/run/controller.ts";
import { TrialClaims } from "../../src/sweep/run/trial-claims.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";
import { madeOutcome } from "./report-input.ts";
import { type Play, StandInLauncher } from "./stand-in-launcher.ts";
import { tempFolder } from "./temp-folder.ts";

export interface ControlledSweep {
  runs: string;
  controller: SweepController;
  launcher: StandInLauncher;
  claims: TrialClaims;
  /** What the controller wrote into the journal. */
  journal: NewEntry[];
  /** `started 0`, `finished 0 completed`, `finished 0 refused`, by seed. */
  lines: string[];
  stop: AbortController;
  trial(spec: TrialSpec): TrialStore;
  /** Whether a process has the trial's claim. */
  isClaimed(spec: TrialSpec): boolean;
  /** Seeds of the trials that completed here, in the order of their ends. */
  run(): Promise<number[]>;
}

export interface ControlledOptions extends Partial<ControllerOptions> {
  runsDir?: string;
  play?: Play;
  onWait?: (spec: TrialSpec, owner: LockOwner) => void;
}

/** A controller and the real store, without processes: every attempt completes at once unless `play` says otherwise. */
export function controlledSweep(
  trials: TrialSpec[],
  { runsDir = tempFolder(), play = complete, onWait = noOther, ...changes }: ControlledOptions = {},
): ControlledSweep {
  const lines: string[] = [];
  const journal: NewEntry[] = [];
  const stop = new AbortController();
  const claims = new TrialClaims(trials, {
    runsDir,
    keep_models: "best",
    command: "cliprpn sweep made.json",
  });
  onTestFinished(() => claims.close());
  let launcher: StandInLauncher | undefined;
  const controller = new SweepController({
    source: new GridSource(trials),
    claims,
    slots: ["cpu"],
    launch: (options) => {
      launcher = new StandInLauncher(options, play);
      return launcher;
    },
    record: (entry) => void journal.push(entry),
    watcher: {
      started: ({ spec }) => void lines.push(`started ${spec.seed}`),
      event: () => undefined,
      finished: ({ spec }, _slot, outcome, _duration_ms, isAccepted) =>
        void lines.push(
          `finished ${spec.seed} ${isAccepted ? (outcome?.state ?? "interrupted") : "refused"}`,
        ),
      again: ({ seed }) => void lines.push(`again ${seed}`),
      found: ({ seed }) => void lines.push(`found ${seed}`),
      waiting: onWait,
    },
    ...changes,
  });
  if (launcher === undefined) throw new Error("the controller opens its launcher at once");
  const trial = ({ trial_id }: TrialSpec): TrialStore => new TrialStore(runsDir, trial_id);
  return {
    runs: runsDir,
    controller,
    launcher,
    claims,
    journal,
    lines,
    stop,
    trial,
    isClaimed: (spec) => readOwner(trial(spec).claimFolder) !== undefined,
    run: async () => {
      await controller.run(stop.signal);
      return lines.flatMap((line) => /^finished (\d+) completed$/.exec(line)?.slice(1).map(Number) ?? []);
    },
  };
}

/** Writes the outcome, as a worker does. */
export function complete({ spec, folder }: Attempt): AttemptEnd {
  const outcome = madeOutcome(spec);
  writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcome));
  return { how: "outcome", outcome };
}

/** An attempt that ends with an error. */
export function broken(code: ErrorCode, message = "made"): AttemptEnd {
  return { how: "error", error: new CliprpnError(code, message) };
}

/** An attempt that runs until it is canceled. */
export function endless(): Promise<AttemptEnd> {
  return new Promise(() => undefined);
}

function noOther(): void {
  throw new Error("no other process runs a trial");
}
