import { expect, test } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import { endOfAttempt, followAttempt } from "../../src/engine/queue/followed-attempt.ts";
import { FollowedAttempts } from "../../src/engine/queue/followed-attempts.ts";
import { PilotPool } from "../../src/engine/queue/pilot-pool.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { madeAttempt, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("an attempt whose files cannot be read keeps no other one from its end", () => {
  const queue = new QueueFolder(tempFolder());
  const ended: string[] = [];
  const attempts = new FollowedAttempts(queue, new PilotPool(queue, 60_000, undefined), {
    tell: (told) => void (told.type === "ended" && ended.push(told.attempt.spec.trial_id)),
    graceMs: 0,
    trialTimeoutMs: undefined,
    leaseMs: 0,
  });
  queue.open({
    schema_version: 1,
    controller: "me",
    runs_dir: "/",
    sources_sha256: codeHashes(),
    schema_sha256: "0".repeat(64),
    num_threads: null,
    beat_s: 1,
    lease_s: 60,
    roots: {},
  });
  const specs = [madeSpec("film", 0), madeSpec("film", 1)];
  const [broken, healthy] = specs.map((spec) => madeAttempt({ spec, outcome: undefined }));
  if (broken === undefined || healthy === undefined) throw new Error("two attempts are made");
  attempts.follow({
    ...broken,
    outcome: () => {
      throw new Error("EIO");
    },
  });
  attempts.follow(healthy);
  const entries = attempts.attempts.map(({ spec, number }) => `${spec.trial_id}.${number}`);
  for (const entry of entries) queue.tryEnd(entry, { how: "outcome", pilot: null, reason: "", error: null });
  expect(() => attempts.look(new Map(), new Set(entries))).toThrow("EIO");
  expect(ended).toEqual([healthy.spec.trial_id]);
});

test("an attempt had the time of its worker only if it began soon after it", () => {
  const pilotLimitMs = 58 * 60_000;
  const followed = followAttempt(
    madeAttempt({ spec: madeSpec("film", 0), outcome: undefined }),
    new QueueFolder("/"),
  );
  const endAfter = (minutes: number): unknown => {
    followed.startedAt = performance.now() - minutes * 60_000;
    const end = { schema_version: 1, how: "preempted", pilot: null, reason: "SIGUSR1", error: null } as const;
    return endOfAttempt(followed, end, { pilotLimitMs });
  };
  expect(endAfter(35)).toEqual({ how: "preempted", reason: "SIGUSR1" });
  expect(endAfter(50)).toEqual({ how: "preempted", reason: "SIGUSR1", limitMs: pilotLimitMs });
});
