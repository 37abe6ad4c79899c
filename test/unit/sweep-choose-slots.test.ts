import { expect, test } from "vitest";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { adviseOnIdleCores, chooseSlots, slotsFor } from "../../src/sweep/choose-slots.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { madeSpec } from "../helpers/report-input.ts";

const request = {
  requested: undefined,
  slotsPerDevice: undefined,
  devices: ["cpu"],
  numTrials: 12,
  numThreads: 2,
};
const machine = { numCores: 8, freeBytes: 64e9 };
const [gpu0, gpu1] = ["cuda:0", "cuda:1"];

test.each<[what: string, Partial<Parameters<typeof chooseSlots>[0]>, Partial<typeof machine>, number]>([
  ["as many as the cores have threads for", {}, {}, 4],
  ["half a worker is none", { numThreads: 3 }, {}, 2],
  ["trials with one thread", { numThreads: 1 }, {}, 8],
  ["more threads than cores", { numThreads: 16 }, {}, 1],
  ["fewer trials", { numTrials: 3 }, {}, 3],
  ["no trials", { numTrials: 0 }, {}, 1],
  ["memory for one more", {}, { freeBytes: 3e9 }, 2],
  ["no memory for another", {}, { freeBytes: 1e9 }, 1],
  ["a number that was asked for", { requested: 6 }, { numCores: 2, freeBytes: 0 }, 6],
  ["more than there are trials", { requested: 6, numTrials: 2 }, {}, 2],
])("on the CPU: %s", (_, asked, has, expected) => {
  const slots = chooseSlots({ ...request, ...asked }, { ...machine, ...has });
  expect(slots).toEqual(Array.from({ length: expected }, () => "cpu"));
});

test.each<[what: string, Partial<Parameters<typeof chooseSlots>[0]>, string[]]>([
  ["one trial on a GPU", { devices: [gpu0] }, [gpu0]],
  ["one on an Apple GPU", { devices: ["mps"] }, ["mps"]],
  ["one on each GPU", { devices: [gpu0, gpu1] }, [gpu0, gpu1]],
  ["spread over the GPUs", { devices: [gpu0, gpu1], slotsPerDevice: 2 }, [gpu0, gpu1, gpu0, gpu1]],
  ["a number that was asked for", { devices: [gpu0, gpu1], requested: 3 }, [gpu0, gpu1, gpu0]],
  ["fewer trials", { devices: [gpu0, gpu1], slotsPerDevice: 2, numTrials: 3 }, [gpu0, gpu1, gpu0]],
])("%s", (_, asked, expected) => {
  expect(chooseSlots({ ...request, ...asked }, machine)).toEqual(expected);
});

/** A machine with two GPUs, of which Python resolves `device`. */
function machineWith(device: string): Engine {
  const answers: Record<string, object> = { describe_machine: { devices: [gpu0, gpu1, "cpu"] } };
  return {
    device: async () => device,
    call: async (method) => answers[method] as never,
    launch: () => {
      throw new Error("nothing runs");
    },
    close: async () => undefined,
  };
}

const none = { numWorkers: undefined, slotsPerDevice: undefined };
const waiting = [0, 1, 2].map((seed) => madeSpec("film", seed));

test.each([
  ["auto", undefined, gpu0, [gpu0, gpu1]],
  ["cuda", undefined, gpu0, [gpu0, gpu1]],
  ["cuda:1", undefined, gpu1, [gpu1]],
  ["auto", [gpu1], gpu1, [gpu1]],
])("--device %s with --devices %s has the slots of its devices", async (device, devices, resolved, expected) => {
  expect(await slotsFor(waiting, machineWith(resolved), { ...none, device, devices })).toEqual(expected);
});

test("a device of --devices that does not exist is refused with those that do", async () => {
  const asked = { ...none, device: "auto", devices: ["cuda:7"] };
  await expect(slotsFor(waiting, machineWith(gpu0), asked)).rejects.toThrow(/cuda:0, cuda:1 and cpu.*cuda:7/);
});

const trials = (number: number, num_threads: number): TrialSpec[] =>
  Array.from({ length: number }, (_, seed) => ({ ...madeSpec("film", seed), num_threads }));

test.each<
  [what: string, slots: number, waiting: TrialSpec[], asked: Partial<RunContext>, RegExp | undefined]
>([
  ["as many as cores", 8, trials(12, 1), {}, undefined],
  ["one trial", 1, trials(1, 1), {}, /^7 of 8 cores stay idle.*--set num_threads=8/],
  ["two trials with two threads", 2, trials(2, 2), {}, /^4 of 8 cores stay idle.*num_threads=4/],
  ["six trials, which cannot share the rest", 6, trials(6, 1), {}, undefined],
  ["a number that was asked for", 2, trials(6, 1), { numWorkers: 2 }, /^6 of 8 .*--workers auto/],
  ["slots of the device", 2, trials(6, 2), { slotsPerDevice: 2 }, /^4 of 8 .*--slots-per-device 4/],
  ["too little memory", 3, trials(6, 1), {}, /^5 of 8 .*memory is enough for 3 workers of 2\.0 GB/],
  ["a rest of cores", 2, trials(6, 3), {}, undefined],
  ["a rest that more workers cannot use", 2, trials(6, 3), { numWorkers: 2 }, undefined],
  ["a rest that more slots cannot use", 2, trials(6, 3), { slotsPerDevice: 2 }, undefined],
])("idle cores are told with what to set: %s", (_, numSlots, waiting, asked, expected) => {
  const slots = Array.from({ length: numSlots }, () => "cpu");
  const advice = adviseOnIdleCores(slots, waiting, waiting, { ...none, ...asked }, 8);
  if (expected === undefined) expect(advice).toBeUndefined();
  else expect(advice).toMatch(expected);
});

test("the last trials of a sweep, and trials on GPUs, get no advice about cores", () => {
  const all = trials(3, 1);
  expect(adviseOnIdleCores(["cpu"], all.slice(2), all, none, 8)).toBeUndefined();
  expect(adviseOnIdleCores([gpu0], all.slice(0, 1), all.slice(0, 1), none, 8)).toBeUndefined();
});
