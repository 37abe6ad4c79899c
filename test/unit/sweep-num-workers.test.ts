import { expect, test } from "vitest";
import { chooseNumWorkers } from "../../src/sweep/num-workers.ts";

const request = { requested: undefined, device: "cpu", numTrials: 12, numThreads: 2 };
const machine = { numCores: 8, freeBytes: 64e9 };

test.each<[what: string, Partial<Parameters<typeof chooseNumWorkers>[0]>, Partial<typeof machine>, number]>([
  ["as many as the cores have threads for", {}, {}, 4],
  ["half a worker is none", { numThreads: 3 }, {}, 2],
  ["trials with one thread", { numThreads: 1 }, {}, 8],
  ["more threads than cores", { numThreads: 16 }, {}, 1],
  ["fewer trials", { numTrials: 3 }, {}, 3],
  ["no trials", { numTrials: 0 }, {}, 1],
  ["memory for one more", {}, { freeBytes: 3e9 }, 2],
  ["no memory for another", {}, { freeBytes: 1e9 }, 1],
  ["a GPU", { device: "cuda:0" }, {}, 1],
  ["an Apple GPU", { device: "mps" }, {}, 1],
  ["a number that was asked for", { requested: 6 }, { numCores: 2, freeBytes: 0 }, 6],
  ["the same on a GPU", { requested: 2, device: "cuda:0" }, {}, 2],
  ["more than there are trials", { requested: 6, numTrials: 2 }, {}, 2],
])("%s", (_, asked, has, expected) => {
  expect(chooseNumWorkers({ ...request, ...asked }, { ...machine, ...has })).toBe(expected);
});
