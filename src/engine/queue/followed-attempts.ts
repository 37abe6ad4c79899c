import type { EndedAttempt } from "../../contract/generated/types.ts";
import { endOfAttempt, type FollowedAttempt, followAttempt } from "./followed-attempt.ts";
import type { PilotPool } from "./pilot-pool.ts";
import { describePilot, type Pilot } from "./pilot-watch.ts";
import { preparationOf, type QueueFolder } from "./queue-folder.ts";
import type { QueuedWork } from "./queued-work.ts";
import { type Running, runningOf } from "./worker-states.ts";

export interface FollowOptions {
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

  get entries(): string[] {
    return [...this.#followed.keys()];
  }

  /** Whether one of them makes what trials share. */
  get hasPreparation(): boolean {
    return this.entries.some((entry) => preparationOf(entry) !== undefined);
  }

  /** What pilots run, by their names. */
  running(): Map<string, Running> {
    return new Map(
      [...this.#followed.values()].flatMap(({ pilot, entry }) =>
        pilot === undefined ? [] : [[pilot.name, runningOf(entry)] as const],
      ),
    );
  }

  /** @param pilot the name of the one that runs it already: its start is told. */
  follow(work: QueuedWork, pilot?: string): void {
    const followed = followAttempt(work, this.#queue);
    this.#followed.set(followed.entry, followed);
    if (pilot) this.#start(followed, pilot);
  }

  /** Follows nothing any more. @returns what was followed. */
  forget(): QueuedWork[] {
    const works = [...this.#followed.values()].map(({ work }) => work);
    this.#followed.clear();
    return works;
  }

  /** Asks an attempt to stop, once. */
  cancel(entry: string): void {
    const followed = this.#followed.get(entry);
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
    const { entry, work } = followed;
    const end = hasEnded ? this.#queue.end(entry) : undefined;
    const name = claimant ?? end?.pilot ?? undefined;
    // A short one has ended before it is seen to start.
    if (followed.pilot === undefined && name) this.#start(followed, name);
    if (followed.pilot !== undefined) for (const event of followed.tail.read()) work.event(event);
    if (end !== undefined) this.#endWhenVisible(followed, end);
    else if (claimant === "") this.#end(followed, withdrawn);
    else if (followed.pilot !== undefined) this.#checkRunning(followed, followed.pilot);
  }

  /** @param name the pilot that runs it. */
  #start(followed: FollowedAttempt, name: string): void {
    const pilot = this.#pilots.claimant(name);
    Object.assign(followed, { pilot, startedAt: performance.now() });
    followed.work.started(pilot.slot, describePilot(pilot));
  }

  #checkRunning(followed: FollowedAttempt, pilot: Pilot): void {
    const isTrial = preparationOf(followed.entry) === undefined;
    const { trialTimeoutMs = Number.POSITIVE_INFINITY } = isTrial ? this.#options : {};
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
    const isExpected = end.how === "outcome" && followed.work.outcome() === undefined;
    if (!isExpected || now - followed.endedAt >= this.#options.leaseMs) this.#end(followed, end);
  }

  #end(followed: FollowedAttempt, end: EndedAttempt): void {
    const { work, entry, pilot } = followed;
    this.#followed.delete(entry);
    const { trialTimeoutMs } = this.#options;
    // Said by a process that outlived the pilot. Its file is read until here.
    if (end.how === "lost" && pilot !== undefined && !this.#pilots.isBarred(pilot)) {
      pilot.lost ??= end.reason;
      this.#pilots.remove(pilot);
    }
    // A pilot cannot know that its cluster killed it.
    const isTakenAway =
      end.how === "lost" && pilot !== undefined && this.#pilots.howLost(pilot) === "preempted";
    const known = isTakenAway ? { ...end, how: "preempted" as const, reason: pilot.lost ?? end.reason } : end;
    const told = endOfAttempt(followed, known, { trialTimeoutMs, pilotLimitMs: this.#pilots.limitMs });
    this.#queue.remove(entry, pilot?.name ?? end.pilot ?? "");
    work.ended(told);
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
