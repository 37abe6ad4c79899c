import type { EndedAttempt } from "../../contract/generated/types.ts";
import type { Attempt, LeftAttempt, Told } from "../launcher.ts";
import { endOfAttempt, entryOfAttempt, type FollowedAttempt, followAttempt } from "./followed-attempt.ts";
import type { PilotPool } from "./pilot-pool.ts";
import { describePilot, type Pilot } from "./pilot-watch.ts";
import type { QueueFolder } from "./queue-folder.ts";

export interface FollowOptions {
  tell: (told: Told) => void;
  /** Time that an attempt gets to stop before its pilot kills it. */
  graceMs: number;
  /** An attempt that takes longer is ended. */
  trialTimeoutMs: number | undefined;
  /** How much later than its end an outcome may be visible. */
  leaseMs: number;
}

/** The attempts of this process in the queue: what happens to them is told, and those whose pilots are lost are taken away. */
export class FollowedAttempts {
  readonly #queue: QueueFolder;
  readonly #pilots: PilotPool;
  readonly #options: FollowOptions;
  readonly #followed = new Map<string, FollowedAttempt>();

  constructor(queue: QueueFolder, pilots: PilotPool, options: FollowOptions) {
    this.#queue = queue;
    this.#pilots = pilots;
    this.#options = options;
  }

  get size(): number {
    return this.#followed.size;
  }

  get attempts(): Attempt[] {
    return [...this.#followed.values()].map(({ attempt }) => attempt);
  }

  /** What pilots run, by their names. */
  running(): Map<string, LeftAttempt> {
    return new Map(
      [...this.#followed.values()].flatMap(({ pilot, attempt: { spec, number } }) =>
        pilot === undefined ? [] : [[pilot.name, { trial_id: spec.trial_id, number }] as const],
      ),
    );
  }

  /** @param pilot the name of the one that runs it already: its start is told. */
  follow(attempt: Attempt, pilot?: string): void {
    const followed = followAttempt(attempt, this.#queue);
    this.#followed.set(followed.entry, followed);
    if (pilot) this.#start(followed, pilot);
  }

  /** Follows nothing any more. @returns what was followed. */
  forget(): Attempt[] {
    const { attempts } = this;
    this.#followed.clear();
    return attempts;
  }

  /** Asks an attempt to stop, once. */
  cancel(attempt: Attempt): void {
    const followed = this.#followed.get(entryOfAttempt(attempt));
    if (followed === undefined || followed.isCanceled) return;
    followed.isCanceled = true;
    this.#askToStop(followed);
  }

  /** Takes all attempts back that no pilot has. */
  withdraw(): void {
    for (const entry of this.#followed.keys()) if (this.#queue.withdraw(entry)) this.#queue.remove(entry, "");
  }

  /**
   * Looks at every attempt, also if one fails.
   *
   * @param claims entries that pilots have, with their names.
   * @throws the first error of an attempt.
   */
  look(claims: ReadonlyMap<string, string>, ended: ReadonlySet<string>): void {
    const errors: unknown[] = [];
    for (const followed of [...this.#followed.values()])
      try {
        this.#lookAt(followed, claims.get(followed.entry), ended.has(followed.entry));
      } catch (error) {
        errors.push(error);
      }
    if (errors.length > 0) throw errors[0];
  }

  #lookAt(followed: FollowedAttempt, claimant: string | undefined, hasEnded: boolean): void {
    const { entry, attempt } = followed;
    const end = hasEnded ? this.#queue.end(entry) : undefined;
    const name = claimant ?? end?.pilot ?? undefined;
    // A short one has ended before it is seen to start.
    if (followed.pilot === undefined && name) this.#start(followed, name);
    if (followed.pilot !== undefined)
      for (const event of followed.tail.read()) this.#options.tell({ type: "event", attempt, event });
    if (end !== undefined) this.#endWhenVisible(followed, end);
    else if (claimant === "") this.#end(followed, withdrawn);
    else if (followed.pilot !== undefined) this.#checkRunning(followed, followed.pilot);
  }

  /** @param name the pilot that runs it. */
  #start(followed: FollowedAttempt, name: string): void {
    const pilot = this.#pilots.claimant(name);
    Object.assign(followed, { pilot, startedAt: performance.now() });
    const { attempt } = followed;
    this.#options.tell({ type: "started", attempt, slot: pilot.slot, worker: describePilot(pilot) });
  }

  #checkRunning(followed: FollowedAttempt, pilot: Pilot): void {
    const { trialTimeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const now = performance.now();
    if (this.#pilots.isBarred(pilot)) this.#takeAway(followed, pilot, "preempted", "a barred worker took it");
    else if (pilot.lost !== undefined)
      this.#takeAway(followed, pilot, this.#pilots.howLost(pilot), pilot.lost);
    else if (pilot.facts.state === "refused")
      // It could not say how its attempt ended.
      this.#takeAway(followed, pilot, "lost", pilot.facts.error?.message ?? "it refused to work");
    else if (!followed.hasTimedOut && now - followed.startedAt > trialTimeoutMs) {
      followed.hasTimedOut = true;
      this.#askToStop(followed);
    } else if (now > followed.killAt) {
      followed.killAt = Number.POSITIVE_INFINITY;
      this.#pilots.kill(pilot);
    }
  }

  /** Ends an attempt for its pilot. */
  #takeAway(followed: FollowedAttempt, pilot: Pilot, how: "lost" | "preempted", reason: string): void {
    const { entry } = followed;
    this.#pilots.remove(pilot);
    const end = { how, pilot: pilot.name, reason, error: null };
    this.#queue.tryEnd(entry, end);
    // The pilot may have been faster.
    this.#endWhenVisible(followed, this.#queue.end(entry) ?? { schema_version: 1, ...end });
  }

  /** On a network disk, an outcome may be seen up to a minute later than the end of its attempt. */
  #endWhenVisible(followed: FollowedAttempt, end: EndedAttempt): void {
    const now = performance.now();
    followed.endedAt ??= now;
    const isExpected = end.how === "outcome" && followed.attempt.outcome() === undefined;
    if (!isExpected || now - followed.endedAt >= this.#options.leaseMs) this.#end(followed, end);
  }

  #end(followed: FollowedAttempt, end: EndedAttempt): void {
    const { attempt, entry, pilot } = followed;
    this.#followed.delete(entry);
    const { trialTimeoutMs } = this.#options;
    // A pilot cannot know that its cluster killed it.
    const isTakenAway =
      end.how === "lost" && pilot !== undefined && this.#pilots.howLost(pilot) === "preempted";
    const known = isTakenAway ? { ...end, how: "preempted" as const, reason: pilot.lost ?? end.reason } : end;
    const told = endOfAttempt(followed, known, { trialTimeoutMs, pilotLimitMs: this.#pilots.limitMs });
    this.#queue.remove(entry, pilot?.name ?? end.pilot ?? "");
    this.#options.tell({ type: "ended", attempt, end: told });
  }

  #askToStop(followed: FollowedAttempt): void {
    const { entry } = followed;
    const { graceMs } = this.#options;
    if (this.#queue.withdraw(entry)) return; // The next look ends it.
    this.#queue.cancel(entry, graceMs);
    followed.killAt = performance.now() + graceMs + killMs;
  }
}

/** The end of an entry that was taken back before a pilot had it, maybe by a process that was killed then. */
const withdrawn: EndedAttempt = { schema_version: 1, how: "canceled", pilot: null, reason: "", error: null };

/** How long a pilot gets to kill its worker before it is killed itself. */
const killMs = 5000;
