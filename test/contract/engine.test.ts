/** The launchers and the local engine with real workers, whose trials end as their labels say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type FakeSweep, fakeSweep } from "../helpers/fake-sweep.ts";
import { localKind, queueKind } from "../helpers/launcher-kinds.ts";
import { until } from "../helpers/processes.ts";
import { startUser } from "../helpers/start-lock-user.ts";
import { testMainPromises, testPromises } from "./launcher-promises.ts";

testPromises(localKind);
testMainPromises(queueKind); // All of them: test/clusters/queue.test.ts.

test("failed trials do not stop the others: each has its code, message and traceback", async () => {
  const sweep = fakeSweep(["good", "fail", "out_of_memory", "leave", "bad_result", "good"]);
  await sweep.run();
  expect(sweep.outcome("fail")).toMatchObject({
    state: "failed",
    error: {
      code: "internal",
      message: `ValueError: seven is too many; the traceback is in ${join(sweep.attemptFolder(1), "worker.log")}`,
    },
    traceback_file: null,
  });
  expect(readFileSync(join(sweep.attemptFolder(1), "worker.log"), "utf8")).toMatch(
    /trial_faults\.py.*in fail/,
  );
  expect(sweep.outcome("out_of_memory")).toMatchObject({ error: { code: "out_of_memory" } });
  expect(sweep.outcome("leave")).toMatchObject({ error: { code: "worker_died" }, traceback_file: null });
  expect(sweep.outcome("bad_result")).toMatchObject({ error: { code: "contract_violation" } });
  expect(sweep.outcome("good")).toMatchObject({ state: "completed" });
  expect(sweep.watcher.lines).toEqual([
    "started good",
    "event good",
    "finished good completed",
    ...["fail", "out_of_memory"].flatMap((label) => [`started ${label}`, `finished ${label} failed`]),
    ...["started leave", "again leave", "finished leave failed"],
    ...["started leave", "again leave", "finished leave failed"],
    ...["started leave", "finished leave failed"],
    ...["started bad_result", "finished bad_result failed"],
    "started good",
    "event good",
    "finished good completed",
  ]);
  await sweep.close();
});

test.each([
  ["its memory has grown", ["uses_1_gb", "uses_4_gb", "good"], 1],
  ["memory of its device is not free", ["leaves_on_device", "good"], 0],
])("a worker is replaced after a trial if %s, which its log and the journal say", async (_, labels, last) => {
  const sweep = fakeSweep(labels);
  await sweep.run();
  const pids = pidsOf(sweep);
  expect(new Set(pids.slice(0, last + 1)).size).toBe(1);
  expect(pids[last + 1]).not.toBe(pids[last]);
  expect(sweep.entries.filter(({ type }) => type === "worker_renewed")).toHaveLength(1);
  const log = readFileSync(join(sweep.attemptFolder(last), "worker.log"), "utf8");
  expect(log).toMatch(/^\S+ \S+ UTC this process is replaced by a new one: .* GB/m);
  await sweep.close();
});

test("a worker that needs as much for each trial stays", async () => {
  const sweep = fakeSweep(["uses_4_gb", "uses_4_gb", "uses_1_gb", "uses_4_gb"]);
  await sweep.run();
  expect(new Set(pidsOf(sweep)).size).toBe(1);
  await sweep.close();
});

test("a worker is replaced after a number of trials", async () => {
  const sweep = fakeSweep(["good", "good", "good", "good", "good"], { renewAfter: 2 });
  await sweep.run();
  const [a, b, c, d, e] = pidsOf(sweep);
  expect([a === b, b === c, c === d, d === e]).toEqual([true, false, true, false]);
  expect(sweep.entries.filter(({ type }) => type === "worker_renewed")).toHaveLength(2);
  await sweep.close();
});

test("a trial whose worker the system kills runs again at the end, and fails if it is killed there, too", async () => {
  const sweep = fakeSweep(["killed_once", "killed", "good"]);
  await sweep.run();
  expect(sweep.watcher.lines.filter((line) => !line.startsWith("event"))).toEqual([
    ...["started killed_once", "again killed_once", "finished killed_once failed"],
    ...["started killed", "again killed", "finished killed failed"],
    ...["started good", "finished good completed"],
    ...["started killed_once", "finished killed_once completed"],
    ...["started killed", "again killed", "finished killed failed"],
    ...["started killed", "finished killed failed"],
  ]);
  expect(sweep.outcome("killed")).toMatchObject({
    error: { code: "worker_killed", message: expect.stringMatching(/SIGKILL.*memory.*--workers 1/) },
  });
  await sweep.close();
});

test("the second try waits until no other trial runs", async () => {
  const sweep = fakeSweep(["killed_while_another_runs", "busy"], { numSlots: 2 });
  await sweep.run();
  expect(sweep.watcher.lines.at(-1)).toBe("finished killed_while_another_runs completed");
  await sweep.close();
});

test("a contract violation fails only that trial, and names the message", async () => {
  const broken = {
    bad_event: /an event from Python/,
    torn_event: /an event from Python: expected JSON/,
    not_text: /the reply to run_trial/,
    not_json: /the reply to run_trial: expected JSON, found <html>/,
  };
  const sweep = fakeSweep([...Object.keys(broken), "good"]);
  await sweep.run();
  for (const [label, message] of Object.entries(broken))
    expect(sweep.outcome(label)).toMatchObject({
      error: { code: "contract_violation", message: expect.stringMatching(message) },
    });
  expect(sweep.outcome("good")).toMatchObject({ state: "completed" });
  await sweep.close();
});

test("invalid params are not sent", async () => {
  const sweep = fakeSweep(["good"]);
  const params = { spec: { seed: -1 } };
  // @ts-expect-error invalid on purpose
  await expect(sweep.engine.call("check_fusion", params)).rejects.toMatchObject({
    code: "contract_violation",
    message: expect.stringContaining("params of check_fusion"),
  });
});

test("a full disk after an abort is reported, not taken for the abort", async () => {
  const sweep = fakeSweep(["full_when_stopped", "good"]);
  sweep.watcher.onEvent = () => sweep.controller.abort();
  await expect(sweep.run()).rejects.toMatchObject({ code: "no_space" });
  expect(sweep.watcher.lines.at(-1)).toBe("finished full_when_stopped interrupted");
  await sweep.close();
});

test("a trial that ignores an abort is killed after the grace time", async () => {
  const sweep = fakeSweep(["deaf", "good"], { graceMs: 200 });
  sweep.watcher.onEvent = () => sweep.controller.abort();
  await sweep.run();
  expect(sweep.watcher.lines).toEqual(["started deaf", "event deaf", "finished deaf interrupted"]);
  expect(sweep.outcome("deaf")).toBeUndefined();
  await sweep.close();
});

test("an abort while a worker starts ends it", async () => {
  const sweep = fakeSweep(["good"], { hello: "hang" });
  const device = expect(sweep.engine.device()).rejects.toMatchObject({ code: "interrupted" });
  await until(() => existsSync(join(sweep.folder, "hello")));
  sweep.controller.abort();
  await device;
  await sweep.close();
});

test("after an abort no call starts", async () => {
  const sweep = fakeSweep(["good"]);
  sweep.controller.abort();
  const params = { checkpoint_file: "a", out_dir: "b" };
  await expect(sweep.engine.call("import_checkpoint", params)).rejects.toMatchObject({ code: "interrupted" });
  expect(sweep.processes.running()).toEqual([]);
});

test.each([
  ["die", "environment_broken", /code 9.*cliprpn doctor/],
  ["package_missing", "package_missing", /no_such_package/],
  ["other_contract", "contract_violation", /contract/],
  ["other_code", "contract_violation", /\/elsewhere\/cliprpn.*reinstall/],
  ["other_code_here", "contract_violation", /python\/cliprpn.*run the same command again/],
])("a worker whose hello is %s ends the run: no trial starts or fails", async (hello, code, message) => {
  const sweep = fakeSweep(["good", "good"], { hello, numSlots: 2 });
  const run = sweep.run();
  await expect(run).rejects.toMatchObject({ code });
  await expect(run).rejects.toThrow(message);
  expect(sweep.watcher.lines).toEqual([]);
  expect(sweep.outcome("good")).toBeUndefined();
  await sweep.close();
});

test.each([
  [2, "runs its trials"],
  [3, "ends, and fails no trial"],
])("after its worker was killed %i times as it started, a sweep %s", async (numKills, _) => {
  const sweep = fakeSweep(["good"], { hello: `killed ${numKills}` });
  if (numKills === 2) await sweep.run();
  else await expect(sweep.run()).rejects.toMatchObject({ code: "environment_broken" });
  expect(sweep.outcome("good")?.state).toBe(numKills === 2 ? "completed" : undefined);
  expect(sweep.entries.filter(({ type }) => type === "worker_renewed")).toHaveLength(2);
  expect(readFileSync(join(sweep.folder, "hello"), "utf8")).toHaveLength(numKills);
  await sweep.close();
});

test("a worker that cannot be restarted ends the run and fails no waiting trial", async () => {
  const sweep = fakeSweep(["good", "leave", "good"], { hello: "once" });
  await expect(sweep.run()).rejects.toMatchObject({ code: "package_missing" });
  expect(sweep.watcher.lines.at(-1)).toBe("finished leave failed");
  expect(sweep.outcome("good")).toBeUndefined();
  await sweep.close();
});

test("an error of the watcher ends the run after the other slot's trial has its outcome", async () => {
  const sweep = fakeSweep(["good", "meet", "meet"], { numSlots: 2 });
  const { finished } = sweep.watcher;
  sweep.watcher.finished = (attempt, ...rest) => {
    finished(attempt, ...rest);
    if (attempt.spec.label === "meet") throw new Error("no space");
  };
  await expect(sweep.run()).rejects.toThrow("no space");
  expect(sweep.watcher.lines.filter((line) => line.startsWith("finished"))).toHaveLength(3);
  await sweep.close();
});

test("a fault ends the wait of another slot for a trial that another process runs", async () => {
  const sweep = fakeSweep(["good", "no_space"], { numSlots: 2 });
  await claimElsewhere(sweep, 0);
  await expect(sweep.run()).rejects.toMatchObject({ code: "no_space" });
  expect(sweep.watcher.lines).toEqual(["started no_space", "finished no_space interrupted"]);
  await sweep.close();
});

test("an abort ends the wait for a trial that another process runs", async () => {
  const sweep = fakeSweep(["good", "good"]);
  await claimElsewhere(sweep, 0);
  sweep.onWait = () => sweep.controller.abort();
  await sweep.run();
  expect(sweep.watcher.lines).toEqual(["started good", "event good", "finished good completed"]);
  await sweep.close();
});

/** The process of each completed trial. */
function pidsOf({ trials, watcher }: FakeSweep): number[] {
  return trials.flatMap(({ trial_id }) => {
    const outcome = watcher.outcomes.get(trial_id);
    return outcome?.state === "completed" ? [outcome.num_trainable_parameters] : [];
  });
}

/** Lets another process claim a trial until the end of the test. */
async function claimElsewhere({ folder, trials }: FakeSweep, trial: number): Promise<void> {
  const { claimFolder } = new TrialStore(folder, trials[trial]?.trial_id ?? "");
  await startUser(claimFolder, "hold").says("held");
}
