/** What became of the attempts of a test's sweep. */
import { messagesOf } from "../contract/launcher-promises.ts";
import type { FakeSweep } from "../helpers/fake-sweep.ts";

/** How the attempts of a trial ended, by its number. */
export function endsOf(sweep: FakeSweep, trial: number): string[] {
  return messagesOf(sweep, trial).flatMap((each) => (each.type === "ended" ? [each.end.how] : []));
}

/** Where each attempt started, in order. */
export function startsOf({ told }: FakeSweep): string[] {
  return told.flatMap((each) => (each.type === "started" ? [each.worker ?? ""] : []));
}

/** Whether a trial has sent an event. */
export function hasStarted(sweep: FakeSweep, trial: number): boolean {
  return messagesOf(sweep, trial).some(({ type }) => type === "event");
}
