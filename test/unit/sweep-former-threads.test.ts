import { expect, test } from "vitest";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { trialId } from "../../src/contract/trial-id.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { checkFormerThreads } from "../../src/sweep/former-threads.ts";
import { errorOf } from "../helpers/error-of.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

function withThreads(num_threads: number, seed: number): TrialSpec {
  const spec = { ...madeSpec("film", seed), num_threads };
  return { ...spec, trial_id: trialId(spec) };
}

function complete(runsDir: string, spec: TrialSpec): void {
  const trial = new TrialStore(runsDir, spec.trial_id);
  trial.create(spec);
  trial.accept(writeAttempt(trial, madeOutcome(spec)), spec.sources_sha256);
}

test("trials that completed with the former default are not run again without a choice", () => {
  const runsDir = tempFolder();
  complete(runsDir, withThreads(2, 0));
  complete(runsDir, withThreads(2, 1));
  const waiting = [0, 1, 2].map((seed) => withThreads(1, seed));
  const error = errorOf(() => checkFormerThreads({}, waiting, waiting, runsDir));
  expect(error).toMatchObject({ code: "bad_input" });
  expect(String(error)).toMatch(
    /2 completed trials .*num_threads 2.*--set num_threads=2.*--set num_threads=1/,
  );
  checkFormerThreads({ num_threads: 1 }, waiting, waiting, runsDir);
  checkFormerThreads({ num_threads: 2 }, [withThreads(2, 2)], [withThreads(2, 2)], runsDir);
});

test("nothing is said where no trial ran before, or the trials with today's default are done", () => {
  const runsDir = tempFolder();
  checkFormerThreads({}, [withThreads(1, 0)], [withThreads(1, 0)], runsDir);
  complete(runsDir, withThreads(2, 0));
  checkFormerThreads({}, [withThreads(1, 1)], [withThreads(1, 1)], runsDir);
  checkFormerThreads({}, [], [], runsDir);
});

test("only completed trials that would run again are a reason", () => {
  const runsDir = tempFolder();
  const [done, failed, next] = [withThreads(1, 0), withThreads(2, 1), withThreads(1, 1)];
  complete(runsDir, done);
  new TrialStore(runsDir, failed.trial_id).create(failed);
  checkFormerThreads({}, [done, next], [next], runsDir);
  complete(runsDir, withThreads(2, 0));
  checkFormerThreads({}, [done, next], [next], runsDir);
  complete(runsDir, failed);
  expect(String(errorOf(() => checkFormerThreads({}, [done, next], [next], runsDir)))).toMatch(
    /1 completed trial /,
  );
});
