import { describe, expect, test } from "vitest";
import type { PilotFacts } from "../../src/contract/generated/types.ts";
import { Actors } from "../../src/engine/ray/actors.ts";
import { JobRecords } from "../../src/engine/slurm/job-records.ts";

type State = PilotFacts["state"];

/** Has four workers on different nodes report these states. @returns the error about starts. */
const faultsOf: Record<string, (states: readonly State[]) => unknown> = {
  SLURM(states) {
    const jobs = new JobRecords();
    jobs.submitted("7", 4, 0);
    for (const state of states)
      for (const task of [0, 1, 2, 3]) jobs.reports({ id: `7_${task}`, node: `n${task}` }, factsOf(state));
    return jobs.startFault("/");
  },
  Ray(states) {
    const actors = new Actors(() => 0);
    actors.asked(["a", "b", "c", "d"]);
    for (const state of states) for (const id of ["a", "b", "c", "d"]) actors.reports(id, factsOf(state));
    return actors.startFault("/", { isLast: false });
  },
};

function factsOf(state: State): PilotFacts {
  const error = state === "refused" ? { code: "no_space", message: "the disk is full" } : null;
  return { state, error } as PilotFacts;
}

describe.each(Object.entries(faultsOf))("%s", (_, faultOf) => {
  test("workers that were ready and refuse to go on did start", () => {
    expect(faultOf(["starting", "ready", "refused"])).toBeUndefined();
  });

  test("workers that refuse at once did not", () => {
    expect(faultOf(["starting", "refused"])).toMatchObject({
      message: expect.stringContaining("the disk is full"),
    });
  });
});
