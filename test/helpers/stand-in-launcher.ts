import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Attempt, AttemptEnd, Launcher } from "../../src/engine/launcher.ts";
import { makeNothing } from "./made-preparation.ts";

/** How an attempt ends; a promise that never resolves for one that runs until it is canceled. */
export type Play = (attempt: Attempt) => AttemptEnd | Promise<AttemptEnd>;

/** A launcher without processes: attempts end as `play` says. */
export class StandInLauncher implements Launcher {
  readonly options: LaunchOptions;
  readonly #play: Play;
  readonly #running = new Map<Attempt, number>();
  #numSlots = 0;
  /** As many attempts could run, when that was last said. */
  numWanted = 0;
  /** The largest number of attempts that ran at the same time. */
  maxRunning = 0;
  isClosed = false;
  readonly prepare: NonNullable<Launcher["prepare"]>;

  /** @param prepare makes what trials share; nothing by default. */
  constructor(options: LaunchOptions, play: Play, prepare = makeNothing) {
    this.options = options;
    this.#play = play;
    this.prepare = prepare;
  }

  async attach(): Promise<void> {}

  want(numAttempts: number): void {
    this.numWanted = numAttempts;
    const numSlots = Math.min(numAttempts, this.options.slots.length);
    if (numSlots <= this.#numSlots) return;
    this.#numSlots = numSlots;
    this.options.tell({ type: "capacity", numSlots });
  }

  submit(attempt: Attempt): void {
    if (this.#running.size >= this.#numSlots) throw new Error("more attempts than there is capacity for");
    const used = new Set(this.#running.values());
    const slot =
      Array.from({ length: this.#numSlots }, (_, each) => each).find((each) => !used.has(each)) ?? 0;
    this.#running.set(attempt, slot);
    this.maxRunning = Math.max(this.maxRunning, this.#running.size);
    this.options.tell({ type: "started", attempt, slot });
    Promise.resolve(this.#play(attempt)).then(
      (end) => this.#end(attempt, end),
      (error) => this.options.tell({ type: "fault", error }),
    );
  }

  cancel(attempt: Attempt): void {
    this.#end(attempt, { how: "canceled" });
  }

  /** Sends an event of an attempt's training. */
  progress(attempt: Attempt, done: number): void {
    const event = { type: "progress", phase: "training", done, total: 10 } as const;
    this.options.tell({ type: "event", attempt, event });
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #end(attempt: Attempt, end: AttemptEnd): void {
    if (this.#running.delete(attempt)) this.options.tell({ type: "ended", attempt, end });
  }
}
