import { vi } from "vitest";

/** Tries again until it does not throw. Processes and disks of a busy machine take long: a failing test waits, a passing one does not. */
export function waitFor<Result>(tried: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(tried, { timeout: timeoutMs, interval: 20 });
}

const timeoutMs = 30_000;
