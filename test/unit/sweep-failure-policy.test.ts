import { expect, test } from "vitest";
import { EXIT, exitCodeOf } from "../../src/contract/errors.ts";
import type { ErrorCode } from "../../src/contract/generated/types.ts";
import { type FailureClass, failureClassOf } from "../../src/sweep/failure-policy.ts";

test.each<[ErrorCode, FailureClass]>([
  ["worker_killed", "worker_lost"],
  ["worker_died", "worker_lost"],
  ["no_space", "machine"],
  ["environment_broken", "machine"],
  ["out_of_memory", "out_of_memory"],
  ["data_invalid", "trial"],
])("%s of a trial is a failure of the class %s", (code, failureClass) => {
  expect(failureClassOf(code)).toBe(failureClass);
});

test("a worker that the system killed outside of a trial, such as while a report is written, fails no trial", () => {
  expect(exitCodeOf("worker_killed")).toBe(EXIT.environment);
});
