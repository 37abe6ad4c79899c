import { describe, expect, test } from "vitest";
import type { PilotFacts } from "../../src/contract/generated/types.ts";
import { Actors } from "../../src/engine/ray/actors.ts";
import { JobRecords } from "../../src/engine/slurm/job-records.ts";

type State = PilotFacts["state"];

/** Has four workers on different nodes report these states. @returns what follows for the next ones. */
const startsByEngine: Record<string, (states: readonly State[]) => { fault: unknown; waitMs: number }> = {
  SLURM(states) {
    const jobs = new JobRecords();
    jobs.submitted("7", 4, 0);
    for (const state of states)
      for (const task of [0, 1, 2, 3]) jobs.reports({ id: `7_${task}`, node: `n${task}` }, factsOf(state));
    return { fault: jobs.startFault("/"), waitMs: jobs.waitMs() };
  },
  Ray(states) {
    const actors = new Actors(() => 0);
    actors.asked(["a", "b", "c", "d"]);
    for (const state of states) for (const id of ["a", "b", "c", "d"]) actors.reports(id, factsOf(state));
    return { fault: actors.startFault("/", { isLast: false }), waitMs: actors.waitMs() };
  },
};

function factsOf(state: State): PilotFacts {
  const error = state === "refused" ? { code: "no_space", message: "the disk is full" } : null;
  return { state, error } as PilotFacts;
}

describe.each(Object.entries(startsByEngine))("%s", (_, startsOf) => {
  test("workers that were ready and refuse to go on did start: the next ones need not wait", () => {
    expect(startsOf(["starting", "ready", "refused"])).toEqual({ fault: undefined, waitMs: 0 });
  });

  test("workers that refuse at once did not", () => {
    const { fault, waitMs } = startsOf(["starting", "refused"]);
    expect(fault).toMatchObject({ message: expect.stringContaining("the disk is full") });
    expect(waitMs).toBeGreaterThan(0);
  });
});
