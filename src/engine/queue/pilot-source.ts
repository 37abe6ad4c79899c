import type { WorkerNow } from "../../contract/generated/types.ts";
import type { Pilot } from "./pilot-watch.ts";

/** Starts and ends pilots, as a cluster does; by default a person starts them, and they end by themselves. */
export interface PilotSource {
  /** Called often: as many attempts run or could run. Says why there are not enough pilots, for people. */
  want(numAttempts: number, pilots: readonly Pilot[]): string | undefined;
  /** Time that a pilot has for attempts, after which the cluster takes it away; undefined for no limit. */
  readonly limitMs?: number;
  /** Whether the cluster knows that a pilot is gone, before its heartbeat says so. */
  gone?(pilot: Pilot): PilotGone | undefined;
  /** Workers that were given up before they said anything. */
  givenUp?(): readonly WorkerNow[];
  /** Ends a pilot that did not stop its attempt. */
  kill?(pilot: Pilot): void;
  /** Starts pilots for as many attempts, and lets them work without this process. */
  leave?(numAttempts: number): Promise<void>;
  /** Ends all pilots that are left. */
  close(): Promise<void>;
  /** Another process runs the sweep now, with pilots of its own or with these. */
  abandon?(): Promise<void>;
}

/** How a pilot went: `preempted` if the cluster took it away, which is no fault of its trial. */
export interface PilotGone {
  how: "lost" | "preempted";
  reason: string;
}
