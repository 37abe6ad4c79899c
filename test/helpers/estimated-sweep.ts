import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
  BaselineSpec,
  ClipRpnSpec,
  SweepEstimate,
  TrialSpec,
} from "../../src/contract/generated/types.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { localDeviceName } from "../../src/sweep/estimate/device.ts";
import { estimateSweep } from "../../src/sweep/estimate/estimate-sweep.ts";
import { type PlannedTrial, plannedTrials } from "../../src/sweep/estimate/planned-trials.ts";
import type { ReadPlan } from "../../src/sweep/read-plan.ts";
import { acceptedNext, sortTrials, trialStatuses } from "../../src/sweep/resume.ts";
import { preparedFacts } from "./dataset-stats.ts";
import { addAttempt, addSweep } from "./made-runs.ts";
import { madeOutcome, madeSpec } from "./report-input.ts";

/** A prepared dataset without images, in `work/NAME`. */
export function madeData(work: string, name = "data", factor = 1): ClipRpnSpec["dataset"] {
  const root = join(work, name);
  mkdirSync(root, { recursive: true });
  const counts = { num_refs: 1 };
  writeFacts(root, {
    ...preparedFacts,
    id: name,
    splits: [
      { split: "train", ...counts, num_images: 80, num_sentences: factor * 400 },
      { split: "val", ...counts, num_images: 20, num_sentences: factor * 50 },
    ],
  });
  return { id: name, name: "mine", root, split_by: "umd" };
}

/** A trial with one thread on data in `work`. */
export function specIn(work: string, label: string, seed: number, changes: Changes = {}): ClipRpnSpec {
  const spec = madeSpec(label, seed);
  const { dataset = madeData(work), num_threads = 1, neck_channels, ...training } = changes;
  return {
    ...spec,
    num_threads,
    dataset,
    cache_dir: join(work, "cache"),
    settings: {
      ...spec.settings,
      neck_channels: neck_channels ?? spec.settings.neck_channels,
      training: { ...spec.settings.training, num_epochs: 2, ...training },
    },
  };
}

interface Changes extends Partial<ClipRpnSpec["settings"]["training"]> {
  dataset?: ClipRpnSpec["dataset"];
  num_threads?: number;
  neck_channels?: number;
}

/** Writes a completed trial that took this time. @param device_name this machine's by default. */
export function addSeen(
  runsDir: string,
  spec: TrialSpec,
  times: { training: number; evaluation: number },
  { num_val = 50, device_name = localDeviceName("cpu") ?? "a processor" } = {},
): void {
  const number = addAttempt(runsDir, spec, { bytes: 5000 });
  const outcome = madeOutcome(spec);
  const total = times.training + times.evaluation;
  const file = join(new TrialStore(runsDir, spec.trial_id).attempt(number).folder, "outcome.json");
  writeFileSync(
    file,
    JSON.stringify({
      ...outcome,
      sources_sha256: spec.sources_sha256,
      metrics: { ...outcome.metrics, num_sentences: num_val },
      durations_ms: { features: 0, ...times, total },
      environment: { ...outcome.environment, device_name },
    }),
  );
}

/** A sweep in which these trials have completed. */
export function addSeenSweep(runsDir: string, name: string, specs: TrialSpec[]): void {
  const sweep = addSweep(runsDir, name, specs);
  sweep.writeTrials(specs.map((spec) => ({ spec, asked: true, attempt: 1 })));
}

/** A plan of these trials. */
export function planIn(work: string, trials: (ClipRpnSpec | BaselineSpec)[]): ReadPlan {
  const [first] = trials;
  const dataset = first?.dataset ?? madeData(work);
  return {
    experiment: { name: "e", question: "Which is best?" },
    plan: { name: "e", question: "Which is best?", trials, published: [], keep_models: "all", alpha: 0.05 },
    dataset,
    targets: [],
  };
}

export interface Estimated {
  planned: PlannedTrial[];
  estimate: SweepEstimate;
}

/** What `sweep --dry-run` estimates on the CPU. */
export async function estimateIn(
  work: string,
  read: ReadPlan,
  {
    numSlots = 1,
    free = 1e12,
    isElsewhere = false,
  }: { numSlots?: number; free?: number; isElsewhere?: boolean } = {},
): Promise<Estimated> {
  const runsDir = join(work, "runs");
  const store = new SweepStore(runsDir, read.plan.name);
  const statuses = trialStatuses(store, read.plan.trials, acceptedNext);
  const choices = { acceptStale: false, rerunStale: false, retryFailed: false };
  const { waiting } = sortTrials(read.plan.trials, statuses, choices);
  const planned = plannedTrials(store, read.plan.trials, waiting, statuses);
  const slots = Array.from({ length: numSlots }, () => "cpu");
  const findDisk = async () => ({ free_bytes: free, device: 1 });
  return {
    planned,
    estimate: await estimateSweep({ read, planned, statuses, runsDir, slots, isElsewhere, findDisk }),
  };
}
