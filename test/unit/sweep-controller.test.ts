import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { ErrorCode, TrialSpec } from "../../src/contract/generated/types.ts";
import type { AttemptEnd } from "../../src/engine/launcher.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";
import { broken, complete, controlledSweep, endless } from "../helpers/controlled-sweep.ts";
import { errorOf } from "../helpers/error-of.ts";
import { killedAtStart } from "../helpers/killed-at-start.ts";
import { failed, madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { startUser } from "../helpers/start-lock-user.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { waitFor } from "../helpers/wait-for.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

const specs = [0, 1, 2].map((seed) => madeSpec("film", seed)) as [TrialSpec, TrialSpec, TrialSpec];
const [first, second, third] = specs;

/** A promise for as many callers, and the function that each calls and awaits. */
function meeting(numCallers: number): [Promise<void>, () => Promise<void>] {
  let numLeft = numCallers;
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  const meet = (): Promise<void> => {
    numLeft -= 1;
    if (numLeft === 0) open();
    return all;
  };
  return [all, meet];
}

/** A trial's folder with a completed attempt, as a process leaves it that was killed before it accepted the attempt. */
function leaveCompleted(trial: TrialStore, spec: TrialSpec): number {
  trial.create(spec);
  return writeAttempt(trial, madeOutcome(spec));
}

test("trials run in order, each under a claim that is given back at its end", async () => {
  const claimed: boolean[][] = [];
  const made = controlledSweep([...specs], {
    play: (attempt) => {
      claimed.push(specs.map(made.isClaimed));
      expect(attempt).toMatchObject({ number: 1, keep_models: "best" });
      expect(made.trial(attempt.spec).identity()?.trial_id).toBe(attempt.spec.trial_id);
      return attempt.spec.seed === 0
        ? { how: "outcome", outcome: failed("film", 0, "diverged") }
        : complete(attempt);
    },
  });
  expect(await made.run()).toEqual([1, 2]);
  expect(claimed).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
  expect(specs.map(made.isClaimed)).toEqual([false, false, false]);
  expect(made.trial(first).accepted()).toEqual([]);
  expect(made.trial(second).shown(second.sources_sha256)?.attempt).toBe(1);
  expect(made.launcher.isClosed).toBe(true);
});

test("a new attempt may continue earlier ones that have a checkpoint; when one completes, all checkpoints go", async () => {
  const offered: (readonly string[])[] = [];
  const made = controlledSweep([first], {
    play: (attempt) => {
      offered.push(attempt.resume_from ?? []);
      if (offered.length === 3) return complete(attempt);
      writeFileSync(made.trial(first).checkpointFile(attempt.number), "checkpoint");
      return broken("worker_died");
    },
  });
  await made.run();
  const trial = made.trial(first);
  const [one, two] = [1, 2].map((number) => trial.attempt(number).folder);
  expect(offered).toEqual([[], [one], [two, one]]);
  expect(trial.shown(first.sources_sha256)?.attempt).toBe(3);
  expect([1, 2, 3].filter((number) => existsSync(trial.checkpointFile(number)))).toEqual([]);
});

test("a second attempt to finish is refused: one attempt of a trial counts", async () => {
  let other = 0;
  const made = controlledSweep([first], {
    play: (attempt) => {
      other = writeAttempt(made.trial(first), madeOutcome(first));
      made.trial(first).accept(other, first.sources_sha256);
      return complete(attempt);
    },
  });
  await made.run();
  expect(made.trial(first).shown(first.sources_sha256)?.attempt).toBe(other);
  expect(made.journal.at(-1)).toMatchObject({ type: "trial_finished", attempt: 1, state: "refused" });
  expect(made.lines.at(-1)).toBe("finished 0 refused");
});

test("a trial that another process has completed does not run", async () => {
  const made = controlledSweep([...specs]);
  made.trial(second).accept(leaveCompleted(made.trial(second), second), second.sources_sha256);
  expect(await made.run()).toEqual([0, 2]);
  expect(made.lines).toContain("found 1");
});

test("a completed attempt of a killed process is accepted without running again", async () => {
  const made = controlledSweep([first]);
  made.trial(first).newAttempt();
  const attempt = leaveCompleted(made.trial(first), first);
  expect(await made.run()).toEqual([]);
  expect(made.lines).toEqual(["found 0"]);
  expect(made.trial(first).shown(first.sources_sha256)?.attempt).toBe(attempt);
});

test("a trial completed by other code runs again as a new attempt; the old one stays", async () => {
  const made = controlledSweep([first]);
  const old = { ...first, sources_sha256: "e".repeat(64) };
  const attempt = leaveCompleted(made.trial(first), old);
  made.trial(first).accept(attempt, old.sources_sha256);
  expect(await made.run()).toEqual([0]);
  expect(made.trial(first).attempts()).toEqual([1, 2]);
  expect(readFileSync(made.trial(first).model(attempt) ?? "", "utf8")).toBe("model 1");
});

test("a trial that another live process runs comes last, is waited for, and does not run when that completed it", async () => {
  const runsDir = tempFolder();
  const claim = new TrialStore(runsDir, first.trial_id).claimFolder;
  const user = startUser(claim, "hold");
  await user.says("held");
  const waited: string[] = [];
  const made = controlledSweep([...specs], {
    runsDir,
    onWait: (spec, owner) => {
      waited.push(`${spec.seed} ${owner === "unknown" ? owner : owner.command}`);
      made.trial(spec).accept(leaveCompleted(made.trial(spec), spec), spec.sources_sha256);
      user.child.stdin.write("\n");
    },
  });
  expect(await made.run()).toEqual([1, 2]);
  expect(waited).toEqual(["0 lock-user"]);
  expect(made.lines.at(-1)).toBe("found 0");
});

test("a trial that another process gave up runs here", async () => {
  const runsDir = tempFolder();
  const user = startUser(new TrialStore(runsDir, first.trial_id).claimFolder, "hold");
  await user.says("held");
  const made = controlledSweep([...specs], { runsDir, onWait: () => void user.child.kill("SIGKILL") });
  expect(await made.run()).toEqual([1, 2, 0]);
});

test("Ctrl-C ends the wait for another process, and no trial begins after it", async () => {
  const runsDir = tempFolder();
  const user = startUser(new TrialStore(runsDir, first.trial_id).claimFolder, "hold");
  await user.says("held");
  const made = controlledSweep([first, second], { runsDir, onWait: () => made.stop.abort() });
  expect(await made.run()).toEqual([1]);
  expect(made.trial(first).attempts()).toEqual([]);
});

test("two sweeps that share trials run each of them once", async () => {
  const runsDir = tempFolder();
  const waiting = { runsDir, onWait: () => undefined };
  const [one, two] = [controlledSweep([...specs], waiting), controlledSweep([third, second, first], waiting)];
  const ran = (await Promise.all([one.run(), two.run()])).flat();
  expect(ran.sort()).toEqual([0, 1, 2]);
  for (const spec of specs) expect(one.trial(spec).attempts()).toEqual([1]);
});

test("as many trials run at the same time as there are slots", async () => {
  const [, meet] = meeting(2);
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: async (attempt) => {
      if (attempt.spec.seed < 2) await meet();
      return complete(attempt);
    },
  });
  expect((await made.run()).sort()).toEqual([0, 1, 2]);
  expect(made.launcher.maxRunning).toBe(2);
});

test("Ctrl-C cancels what runs, and the trial waits for the next run", async () => {
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: (attempt) => {
      if (attempt.spec.seed === 1) made.stop.abort();
      return endless();
    },
  });
  expect(await made.run()).toEqual([]);
  expect(made.lines).toEqual(["started 0", "started 1", "finished 0 interrupted", "finished 1 interrupted"]);
  expect(made.journal.filter(({ type }) => type === "trial_finished")).toMatchObject([
    { state: "interrupted", error: null },
    { state: "interrupted", error: null },
  ]);
  expect(specs.map(made.isClaimed)).toEqual([false, false, false]);
});

test("a lost worker's trial runs again at once, twice at most", async () => {
  const made = controlledSweep([...specs], {
    play: (attempt) => (attempt.spec.seed === 0 ? broken("worker_died") : complete(attempt)),
  });
  expect(await made.run()).toEqual([1, 2]);
  expect(made.lines.slice(0, 7)).toEqual([
    ...["started 0", "again 0", "finished 0 failed"],
    ...["started 0", "again 0", "finished 0 failed"],
    "started 0",
  ]);
  const ends = made.journal.flatMap((entry) =>
    entry.type === "trial_finished" && entry.trial_id === first.trial_id
      ? [[entry.attempt, entry.state]]
      : [],
  );
  expect(ends).toEqual([
    [1, "retried"],
    [2, "retried"],
    [3, "failed"],
  ]);
});

test("a trial whose worker the system killed runs again when no other trial runs", async () => {
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: (attempt) => {
      if (attempt.spec.seed > 0 || attempt.number > 1) return complete(attempt);
      return broken("worker_killed");
    },
  });
  expect((await made.run()).at(-1)).toBe(0);
});

test.each<[ErrorCode, number]>([
  ["fusion_invalid", 1],
  ["loss_not_finite", 1],
  ["out_of_memory", 1],
  ["timed_out", 1],
  ["worker_killed", 3],
])("a trial that ends with %s has %i attempts", async (code, numAttempts) => {
  const made = controlledSweep([first], { play: () => broken(code) });
  await made.run();
  expect(made.trial(first).attempts()).toHaveLength(numAttempts);
  expect(made.journal.at(-1)).toMatchObject({ state: "failed", error: { code } });
});

test("the number of retries of a class is a setting", async () => {
  const made = controlledSweep([first], { play: () => broken("timed_out"), retries: { timed_out: 1 } });
  await made.run();
  expect(made.trial(first).attempts()).toEqual([1, 2]);
});

test("a preempted attempt does not count as a try", async () => {
  const made = controlledSweep([first], {
    play: (attempt): AttemptEnd =>
      attempt.number <= 4 ? { how: "preempted", reason: "another job" } : complete(attempt),
  });
  expect(await made.run()).toEqual([0]);
  expect(
    made.journal.filter((entry) => "state" in entry).map((entry) => "state" in entry && entry.state),
  ).toEqual([...Array.from({ length: 4 }, () => "preempted"), "completed"]);
});

test("a fault of the machine lets the other trials end, starts none, and is thrown", async () => {
  const [fault, reported] = meeting(1);
  const [, meet] = meeting(2);
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: async (attempt) => {
      await meet();
      if (attempt.spec.seed === 0) return broken("no_space", "the disk is full");
      await fault;
      return complete(attempt);
    },
    record: (entry) => {
      if (entry.type === "trial_finished" && entry.trial_id === first.trial_id) void reported();
    },
  });
  await expect(made.run()).rejects.toMatchObject({ code: "no_space" });
  expect(made.lines).toEqual(["started 0", "started 1", "finished 0 interrupted", "finished 1 completed"]);
});

test("after as many failures as allowed, no trial starts", async () => {
  const made = controlledSweep([...specs], {
    play: (attempt) => (attempt.spec.seed < 2 ? broken("loss_not_finite") : complete(attempt)),
    maxFailures: 2,
  });
  expect(await made.run()).toEqual([]);
  expect(made.trial(third).attempts()).toEqual([]);
});

test("a trial that a person cancels is no failure that counts", async () => {
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: (attempt) => {
      if (attempt.spec.seed === 0) return endless();
      made.controller.cancel(first.trial_id, { state: "canceled", reason: "by cliprpn stop" });
      return complete(attempt);
    },
    maxFailures: 1,
  });
  expect(await made.run()).toEqual([1, 2]);
  expect(made.controller.numFailed).toBe(0);
});

test("a trial that a worker completes after it counted as lost ends in the journal and for its source", async () => {
  const ended: string[] = [];
  class Search extends GridSource {
    ended({ seed }: TrialSpec, outcome?: { state: string }): void {
      ended.push(`${seed} ${outcome?.state}`);
    }
  }
  const made = controlledSweep([first], {
    source: new Search([first]),
    play: (attempt) => {
      complete(attempt);
      return broken("worker_died");
    },
  });
  expect(await made.run()).toEqual([]);
  expect(made.lines.at(-1)).toBe("found 0");
  expect(ended).toEqual(["0 completed"]);
  const ends = made.journal.flatMap((entry) => (entry.type === "trial_finished" ? [entry] : []));
  expect(ends.map(({ attempt, state }) => [attempt, state])).toEqual([
    [1, "retried"],
    [1, "completed"],
  ]);
});

test("a sweep ends if an attempt cannot be handed to a worker", async () => {
  const made = controlledSweep([...specs]);
  made.launcher.submit = () => {
    throw new Error("no space");
  };
  await expect(made.run()).rejects.toThrow("no space");
});

test("after a fault, attempts that wait for a worker do not keep the sweep from its end", async () => {
  const made = controlledSweep([...specs], { slots: ["cpu", "cpu"], play: () => endless() });
  const { tell } = made.launcher.options;
  const submit = made.launcher.submit.bind(made.launcher);
  made.launcher.options.tell = (told) => {
    if (told.type !== "started") tell(told);
  };
  made.launcher.submit = (attempt) => {
    submit(attempt);
    tell({ type: "fault", error: new Error("no jobs") });
  };
  await expect(made.run()).rejects.toThrow("no jobs");
});

test.each([
  [2, "completes"],
  [3, "ends with the fault"],
])("after a worker was killed %i times as it started, a sweep %s", async (numKills, _) => {
  const made = controlledSweep([first]);
  const { tell } = made.launcher.options;
  const want = made.launcher.want.bind(made.launcher);
  let numStarts = 0;
  made.launcher.want = (num) => {
    numStarts += 1;
    if (numStarts > numKills) want(num);
    else tell({ type: "fault", error: killedAtStart(), slot: 0 });
  };
  if (numKills > 2) await expect(made.run()).rejects.toMatchObject({ code: "environment_broken" });
  else expect(await made.run()).toEqual([0]);
  expect(made.journal.filter(({ type }) => type === "worker_renewed")).toHaveLength(2);
});

test("an interpreter that does not start ends a sweep at once", async () => {
  const made = controlledSweep([first]);
  const { tell } = made.launcher.options;
  let numStarts = 0;
  made.launcher.want = () => {
    numStarts += 1;
    tell({ type: "fault", error: new CliprpnError("environment_broken", "python did not start"), slot: 0 });
  };
  await expect(made.run()).rejects.toMatchObject({ code: "environment_broken" });
  expect(numStarts).toBe(1);
});

test("a source may end a trial early, and gets every outcome", async () => {
  const ended: string[] = [];
  class Search extends GridSource {
    prune({ seed }: TrialSpec): string | undefined {
      return seed === 1 ? "worse than the median" : undefined;
    }
    ended({ seed }: TrialSpec, outcome?: { state: string }): void {
      ended.push(`${seed} ${outcome?.state}`);
    }
  }
  const made = controlledSweep([...specs], {
    source: new Search([...specs]),
    play: (attempt) => {
      made.launcher.progress(attempt, 1);
      return attempt.spec.seed === 1 ? endless() : complete(attempt);
    },
  });
  expect(await made.run()).toEqual([0, 2]);
  expect(ended).toEqual(["0 completed", "1 failed", "2 completed"]);
  expect(made.journal).toContainEqual(
    expect.objectContaining({
      state: "pruned",
      error: { code: "pruned", message: "worse than the median" },
    }),
  );
});

test("a person may cancel one trial; the others go on", async () => {
  const made = controlledSweep([...specs], {
    slots: ["cpu", "cpu"],
    play: (attempt) => {
      if (attempt.spec.seed === 0) return endless();
      const canceled = { state: "canceled", reason: "by cliprpn stop" } as const;
      if (attempt.spec.seed === 2) expect(made.controller.cancel(first.trial_id, canceled)).toBe(true);
      return complete(attempt);
    },
  });
  expect(await made.run()).toEqual([1, 2]);
  expect(made.journal).toContainEqual(expect.objectContaining({ state: "canceled" }));
});

test("all claims are given back at the end, also those of running trials", async () => {
  const made = controlledSweep([...specs]);
  await made.claims.tryClaim(first);
  await made.claims.tryClaim(second);
  expect(specs.map(made.isClaimed)).toEqual([true, true, false]);
  await made.claims.close();
  expect(specs.map(made.isClaimed)).toEqual([false, false, false]);
});

function withFusion(file: string, source: string): TrialSpec {
  const spec = madeSpec("mine", 0);
  const source_sha256 = createHash("sha256").update(source).digest("hex");
  const fusion = { kind: "file" as const, file: `${file}:Mine`, params: {}, source_sha256 };
  return { ...spec, settings: { ...spec.settings, fusion } };
}

test("a fusion's source is copied into the trial, and the attempt loads the copy", async () => {
  const source = "class Mine: pass\n";
  const file = join(tempFolder(), "a:b.py");
  writeFileSync(file, source);
  const made = controlledSweep([withFusion(file, source)], {
    play: (attempt) => {
      const copy = made.trial(attempt.spec).fusionFile;
      expect(readFileSync(copy, "utf8")).toBe(source);
      expect(attempt.spec).toMatchObject({ settings: { fusion: { file: `${copy}:Mine` } } });
      return complete(attempt);
    },
  });
  expect(await made.run()).toEqual([0]);
});

test("a fusion's file may be edited or removed while the sweep runs", async () => {
  const source = "class Mine: pass\n";
  const file = join(tempFolder(), "mine.py");
  writeFileSync(file, source);
  const specs = [0, 1].map((seed) => ({
    ...withFusion(file, source),
    trial_id: String(seed).repeat(16),
    seed,
  }));
  const made = controlledSweep(specs, {
    play: (attempt) => {
      rmSync(file, { force: true });
      return complete(attempt);
    },
  });
  writeFileSync(file, "class Mine: later = True\n");
  await made.run();
  for (const spec of specs) expect(readFileSync(made.trial(spec).fusionFile, "utf8")).toBe(source);
});

test.each([
  "class Mine: later = True\n",
  undefined,
])("a fusion's file that has changed to %j since the plan is refused before any trial", (text) => {
  const file = join(tempFolder(), "mine.py");
  if (text !== undefined) writeFileSync(file, text);
  const error = errorOf(() => controlledSweep([withFusion(file, "class Mine: pass\n")]));
  expect(error.code).toBe("fusion_invalid");
  expect(error.message).toContain(file);
});

test.each([
  ["the machine's fault", "no_space"],
  ["another process that runs the sweep", "locked"],
] as const)("if %s ends a sweep that makes what trials share, its reason is told", async (_, code) => {
  const made = controlledSweep([...specs], {
    prepare: (_launcher, _hasTrials, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new CliprpnError("interrupted", "made")));
        made.launcher.options.tell({ type: "fault", error: new CliprpnError(code, "made") });
      }),
  });
  await expect(made.run()).rejects.toMatchObject({ code });
  expect(made.lines).toEqual([]);
});

test("all workers are asked for while what trials share is made; no trial starts before that, and none after it failed", async () => {
  let linesBefore: string[] | undefined;
  const made = controlledSweep([...specs], {
    prepare: async () => {
      await waitFor(() => expect(made.launcher.numWanted).toBe(3));
      linesBefore = [...made.lines];
    },
  });
  expect(await made.run()).toEqual([0, 1, 2]);
  expect(linesBefore).toEqual([]);
  const failing = controlledSweep([first], {
    prepare: () => Promise.reject(new CliprpnError("data_invalid", "made")),
  });
  await expect(failing.run()).rejects.toMatchObject({ code: "data_invalid" });
  expect(failing.lines).toEqual([]);
});
