import type { Attempt, LeftAttempt } from "../launcher.ts";
import type { PilotPool } from "./pilot-pool.ts";
import { attemptOf, entryOf, preparationOf, type QueueFolder } from "./queue-folder.ts";

/** Attempts in the queue that an earlier process left. */
export class LeftAttempts {
  readonly #queue: QueueFolder;
  readonly #graceMs: number;
  /** Entries that nobody wants; they are removed when they have ended. */
  readonly #unwanted = new Set<string>();

  /** @param graceMs time that an attempt that nobody wants gets to stop. */
  constructor(queue: QueueFolder, graceMs: number) {
    this.#queue = queue;
    this.#graceMs = graceMs;
  }

  /**
   * @param take the attempt to follow; undefined for one that nobody wants any more.
   * @param follow receives those, with the pilot that runs each; undefined for one that waits.
   */
  async takeOver(
    take: (left: LeftAttempt) => Promise<Attempt | undefined>,
    follow: (attempt: Attempt, pilot: string | undefined) => void,
  ): Promise<void> {
    // In this order: an entry that is claimed and ended meanwhile is not overlooked.
    const waiting = this.#queue.waiting();
    const claims = this.#queue.claims();
    const ended = this.#queue.ended();
    const entries = new Set([...waiting, ...claims.keys(), ...ended]);
    const left = [...entries].flatMap((entry) => attemptOf(entry) ?? []);
    // Of two attempts at a trial, which a process left that was killed, the newer one counts.
    left.sort((a, b) => b.number - a.number);
    // Together, since each may have to wait.
    await Promise.all(
      left.map(async (each) => {
        const attempt = await take(each);
        const entry = entryOf(each);
        const pilot = claims.get(entry);
        if (attempt !== undefined) follow(attempt, pilot);
        else if (ended.has(entry)) this.#queue.remove(entry, pilot);
        else this.discard(entry);
      }),
    );
  }

  /** Removes unwanted entries that have ended, or whose pilots are lost. */
  removeEnded(claims: ReadonlyMap<string, string>, ended: ReadonlySet<string>, pilots: PilotPool): void {
    for (const entry of this.#unwanted) {
      const name = claims.get(entry) ?? "";
      if (!ended.has(entry) && name !== "" && pilots.claimant(name).lost === undefined) continue;
      this.#unwanted.delete(entry);
      this.#queue.remove(entry, name);
    }
  }

  /** Entries that make what trials share, with the pilots that have them; undefined for one that waits. */
  preparations(): Map<string, string | undefined> {
    // In this order: an entry that is claimed and ended meanwhile is not overlooked.
    const waiting = this.#queue.waiting();
    const claims = this.#queue.claims();
    const entries = [...new Set([...waiting, ...claims.keys(), ...this.#queue.ended()])];
    return new Map(
      entries
        .filter((entry) => preparationOf(entry) !== undefined && !this.#unwanted.has(entry))
        .map((entry) => [entry, claims.get(entry)]),
    );
  }

  /** Ends an entry that nobody wants. */
  discard(entry: string): void {
    if (this.#queue.withdraw(entry)) this.#queue.remove(entry, "");
    else {
      this.#queue.cancel(entry, this.#graceMs);
      this.#unwanted.add(entry);
    }
  }
}
