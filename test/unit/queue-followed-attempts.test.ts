import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { QueueSettings } from "../../src/contract/generated/types.ts";
import type { Attempt, Told } from "../../src/engine/launcher.ts";
import { endOfAttempt, followAttempt } from "../../src/engine/queue/followed-attempt.ts";
import { FollowedAttempts } from "../../src/engine/queue/followed-attempts.ts";
import { PilotPool } from "../../src/engine/queue/pilot-pool.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { trialWork } from "../../src/engine/queue/queued-work.ts";
import { madeAttempt, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const settings: QueueSettings = {
  schema_version: 1,
  controller: "me",
  runs_dir: "/",
  sources_sha256: codeHashes(),
  schema_sha256: "0".repeat(64),
  num_threads: null,
  beat_s: 1,
  lease_s: 60,
  roots: {},
};

test("an attempt whose files cannot be read keeps no other one from its end", () => {
  const queue = new QueueFolder(tempFolder());
  const ended: string[] = [];
  const attempts = new FollowedAttempts(queue, new PilotPool(queue, 60_000, undefined), {
    graceMs: 0,
    trialTimeoutMs: undefined,
    leaseMs: 0,
  });
  queue.open(settings);
  const specs = [madeSpec("film", 0), madeSpec("film", 1)];
  const [broken, healthy] = specs.map((spec) => madeAttempt({ spec, outcome: undefined }));
  if (broken === undefined || healthy === undefined) throw new Error("two attempts are made");
  const outcome = (): never => {
    throw new Error("EIO");
  };
  const follow = (attempt: Attempt): void =>
    attempts.follow(
      trialWork(attempt, (told) => void (told.type === "ended" && ended.push(told.attempt.spec.trial_id))),
    );
  follow({ ...broken, outcome });
  follow(healthy);
  const { entries } = attempts;
  for (const entry of entries) queue.tryEnd(entry, { how: "outcome", pilot: null, reason: "", error: null });
  expect(() => attempts.look(new Map(), new Set(entries))).toThrow("EIO");
  expect(ended).toEqual([healthy.spec.trial_id]);
});

test.each([
  ["its cluster took it away", { how: "preempted", reason: "SLURM preempted its job 1_0" } as const],
  ["nobody knows why", undefined],
])("an attempt whose pilot was killed was preempted only if the cluster says so: %s", (_, gone) => {
  const queue = new QueueFolder(tempFolder());
  queue.open(settings);
  const pilots = new PilotPool(queue, 60_000, {
    want: () => undefined,
    gone: () => gone,
    close: async () => undefined,
  });
  const told: Told[] = [];
  const attempts = new FollowedAttempts(queue, pilots, {
    graceMs: 0,
    trialTimeoutMs: undefined,
    leaseMs: 0,
  });
  const attempt = madeAttempt({ spec: madeSpec("film", 0), outcome: undefined });
  attempts.follow(trialWork(attempt, (each) => void told.push(each)));
  const entry = `${attempt.spec.trial_id}.${attempt.number}`;
  const claims = new Map([[entry, "pilot"]]);
  writeFileSync(queue.pilotFile("pilot"), "");
  attempts.look(claims, new Set());
  queue.tryEnd(entry, { how: "lost", pilot: "pilot", reason: "it was killed", error: null });
  pilots.askCluster();
  attempts.look(claims, new Set([entry]));
  expect(told.map((each) => (each.type === "ended" ? each.end : each.type))).toEqual([
    "started",
    gone ?? { how: "error", error: expect.objectContaining({ code: "worker_died" }) },
  ]);
  expect(queue.pilotNames()).toEqual([]);
  expect(queue.barred()).toMatchObject([{ name: "pilot" }]);
});

test("an attempt had the time of its worker only if it began soon after it", () => {
  const pilotLimitMs = 58 * 60_000;
  const followed = followAttempt(
    trialWork(madeAttempt({ spec: madeSpec("film", 0), outcome: undefined }), () => undefined),
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
