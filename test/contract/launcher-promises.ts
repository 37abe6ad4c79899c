/** What every launcher promises (`src/engine/launcher.ts`), tested with real processes whose trials end as their labels say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Told } from "../../src/engine/launcher.ts";
import { type FakeSweep, type FakeSweepOptions, fakeSweep } from "../helpers/fake-sweep.ts";
import type { LauncherKind } from "../helpers/launcher-kinds.ts";

/** Tests the promises of all launchers. */
export function testPromises(kind: LauncherKind): void {
  testMainPromises(kind);
  const sweepOf = sweepsOf(kind);

  describe(kind.name, () => {
    test("workers are warm; one that crashed or may be corrupt is replaced, and no process is left", async () => {
      const sweep = sweepOf(["good", "good", "leave", "good", "fail", "good"]);
      await sweep.run();
      const [first, second, third, fourth] = pids(sweep);
      expect(second).toBe(first);
      expect(new Set([first, third, fourth]).size).toBe(3);
      await sweep.close();
    });

    test("a trial that crashes runs again, and fails in the end; the others complete", async () => {
      const sweep = sweepOf(["leave", "good"]);
      await sweep.run();
      expect(sweep.store(0).attempts()).toEqual([1, 2, 3]);
      expect(sweep.outcome("leave")).toMatchObject({ state: "failed", error: { code: "worker_died" } });
      expect(sweep.outcome("good")).toMatchObject({ state: "completed" });
      await sweep.close();
    });

    test("a written outcome counts, even if the worker died before it said so", async () => {
      const sweep = sweepOf(["written_then_gone"]);
      await sweep.run();
      expect(states(sweep)).toEqual(["completed"]);
      expect(sweep.store(0).attempts()).toEqual([1]);
      await sweep.close();
    });

    test("an attempt that takes too long fails, and the next one runs", async () => {
      const sweep = sweepOf(["deaf", "good"], { trialTimeoutMs: 5000, graceMs: 300 }); // Enough for `good` on a busy machine.
      await sweep.run();
      expect(sweep.outcome("deaf")).toMatchObject({ error: { code: "timed_out" } });
      expect(sweep.outcome("good")).toMatchObject({ state: "completed" });
      await sweep.close();
    });

    test("a full disk ends the sweep, and no other trial starts", async () => {
      const sweep = sweepOf(["no_space", "good", "good", "good"]);
      await expect(sweep.run()).rejects.toMatchObject({ code: "no_space" });
      expect(sweep.outcome("no_space")).toBeUndefined();
      expect(messagesOf(sweep, 3)).toEqual([]);
      await sweep.close();
    });

    test("an abort ends running attempts without an outcome; the same sweep again runs what is missing", async () => {
      const sweep = sweepOf(["good", "slow_once", "good", "good"]);
      onFirstEvent(sweep, 1, () => sweep.controller.abort());
      await sweep.run();
      expect(sweep.outcome("slow_once")).toBeUndefined();
      await sweep.close();
      const again = sweepOf(["good", "slow_once", "good", "good"], { runsDir: sweep.folder });
      await again.run();
      expect(again.trials.map((_, index) => again.store(index).accepted().length)).toEqual([1, 1, 1, 1]);
      expect(again.store(0).attempts()).toEqual([1]);
      await again.close();
    });

    test("as many attempts as slots run at the same time", async () => {
      const sweep = sweepOf(["meet", "meet"], { numSlots: 2 });
      await sweep.run();
      expect(states(sweep)).toEqual(["completed", "completed"]);
      await sweep.close();
    });
  });
}

/** Tests those without which nothing works. */
export function testMainPromises(kind: LauncherKind): void {
  const sweepOf = sweepsOf(kind);

  describe(kind.name, () => {
    test("an attempt starts, has its events in order, ends once, and is not mentioned after that", async () => {
      const sweep = sweepOf(["steps", "good", "fail", "steps", "good"], { numSlots: 2 });
      await sweep.run();
      expect(states(sweep)).toEqual(["completed", "completed", "failed", "completed", "completed"]);
      for (const [index, events] of [5, 1, 0, 5, 1].entries()) {
        const messages = messagesOf(sweep, index);
        expect(messages.map(({ type }) => type)).toEqual([
          "started",
          ...Array.from({ length: events }, () => "event"),
          "ended",
        ]);
        const done = messages.flatMap((each) =>
          each.type === "event" && each.event.type === "progress" ? [each.event.done] : [],
        );
        expect(done).toEqual([...(events === 5 ? [1, 2, 3, 4] : []), ...(events > 0 ? [1] : [])]);
      }
      expect(sweep.trials.map((_, index) => sweep.store(index).attempts())).toEqual([
        [1],
        [1],
        [1],
        [1],
        [1],
      ]);
      await sweep.close();
    });

    test("what trials share is made before the first one, by a worker that then runs them", async () => {
      const sweep = sweepOf(["good", "good"], { preparing: "prints" });
      await sweep.run();
      expect(sweep.watcher.lines.slice(0, 3)).toEqual(["preparing", "preparation completed", "started good"]);
      expect(states(sweep)).toEqual(["completed", "completed"]);
      const { folder, logFile } = sweep.sweepStore.preparations.at(1);
      expect(readFileSync(logFile, "utf8")).toMatch(/from Python[\s\S]*from a descriptor/);
      expect(pids(sweep)[0]).toBe(Number(readFileSync(join(folder, "pid"), "utf8")));
      await sweep.close();
    });

    test("a preparation whose worker is killed runs again, in a folder of its own", async () => {
      const sweep = sweepOf(["good"], { preparing: "killed_once" });
      await sweep.run();
      expect(sweep.watcher.lines.slice(0, 5)).toEqual([
        ...["preparing", "preparation retried", "preparing", "preparation completed"],
        "started good",
      ]);
      expect(sweep.sweepStore.preparations.numbers()).toEqual([1, 2]);
      await sweep.close();
    });

    test("an abort ends a preparation, and no trial starts", async () => {
      const sweep = sweepOf(["good"], { preparing: "slow" });
      sweep.onPreparationEvent = () => sweep.controller.abort();
      await expect(sweep.run()).rejects.toMatchObject({ code: "interrupted" });
      expect(sweep.watcher.lines).toEqual(["preparing", "preparation interrupted"]);
      expect(sweep.store(0).attempts()).toEqual([]);
      await sweep.close();
    });

    test("an error of a preparation ends the sweep before its trials", async () => {
      const sweep = sweepOf(["good"], { preparing: "no_space" });
      await expect(sweep.run()).rejects.toMatchObject({ code: "no_space" });
      expect(sweep.watcher.lines).toEqual(["preparing", "preparation failed"]);
      await sweep.close();
    });

    test("the trial of a killed worker runs again, and a late attempt is refused", async () => {
      const sweep = sweepOf(["slow_once", "good"]);
      onFirstEvent(sweep, 0, () => killAll(sweep, "SIGKILL"));
      await sweep.run();
      expect(states(sweep)).toEqual(["completed", "completed"]);
      expect(sweep.store(0).attempts()).toEqual([1, 2]);
      const [spec] = sweep.trials;
      if (spec !== undefined) expect(sweep.store(0).accept(1, spec.sources_sha256)).toBe(2);
      await sweep.close();
    });

    test("a canceled attempt ends without an outcome; one that does not stop is killed; others go on", async () => {
      const sweep = sweepOf(["slow", "deaf", "good"], { graceMs: 300 });
      for (const trial of [0, 1]) onFirstEvent(sweep, trial, () => sweep.cancel(trial));
      await sweep.run();
      expect(messagesOf(sweep, 0).at(-1)).toMatchObject({ end: { how: "canceled" } });
      expect(messagesOf(sweep, 1).at(-1)).toMatchObject({ end: { how: "canceled" } });
      expect(sweep.outcome("slow")).toMatchObject({ error: { code: "canceled" } });
      expect(existsSync(`${sweep.attemptFolder(0)}/outcome.json`)).toBe(false);
      expect(sweep.outcome("good")).toMatchObject({ state: "completed" });
      await sweep.close();
    });
  });
}

type Options = FakeSweepOptions & { graceMs?: number; trialTimeoutMs?: number };

function sweepsOf(kind: LauncherKind): (labels: string[], options?: Options) => FakeSweep {
  return (labels, options = {}) => fakeSweep(labels, { kind, ...options });
}

/** What the launcher told about a trial, by its number. */
export function messagesOf(
  { told, trials }: FakeSweep,
  trial: number,
): Extract<Told, { attempt: unknown }>[] {
  return told.flatMap((each) =>
    "attempt" in each && each.attempt.spec.trial_id === trials[trial]?.trial_id ? [each] : [],
  );
}

/** The state of each trial, as the sweep ended. */
export function states({ trials, watcher }: FakeSweep): (string | undefined)[] {
  return trials.map(({ trial_id }) => watcher.outcomes.get(trial_id)?.state);
}

/** Does something at the first event of a trial, by its number. */
export function onFirstEvent(sweep: FakeSweep, trial: number, action: () => void): void {
  let isDone = false;
  const { onTold } = sweep;
  sweep.onTold = (told) => {
    onTold(told);
    if (told.type !== "event" || told.attempt.spec.trial_id !== sweep.trials[trial]?.trial_id || isDone)
      return;
    isDone = true;
    action();
  };
}

/** Sends a signal to all workers. */
export function killAll(sweep: FakeSweep, signal: NodeJS.Signals): void {
  const workers = sweep.workers();
  if (workers.length === 0) throw new Error(`no worker is among ${sweep.processes.running().join("\n")}`);
  for (const pid of workers) process.kill(pid, signal);
}

/** Process ids of the workers of completed trials. */
function pids({ trials, watcher }: FakeSweep): number[] {
  return trials.flatMap(({ trial_id }) => {
    const outcome = watcher.outcomes.get(trial_id);
    return outcome?.state === "completed" ? [outcome.num_trainable_parameters] : [];
  });
}
