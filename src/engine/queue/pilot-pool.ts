import type { BarredPilot, WorkerNow } from "../../contract/generated/types.ts";
import type { PilotSource } from "./pilot-source.ts";
import { describePilot, nodeOf, type Pilot, PilotWatch } from "./pilot-watch.ts";
import type { QueueFolder } from "./queue-folder.ts";
import { barredNow, type Running, workerNow } from "./worker-states.ts";

/** The pilots of a queue: which of them take attempts, which are lost, and how more of them are started. */
export class PilotPool {
  readonly #queue: QueueFolder;
  readonly #watch: PilotWatch;
  readonly #source: PilotSource | undefined;
  readonly #barred: Map<string, BarredPilot>;
  /** Pilots that the cluster took away. */
  readonly #preempted = new Set<string>();

  constructor(queue: QueueFolder, leaseMs: number, source: PilotSource | undefined) {
    this.#queue = queue;
    this.#source = source;
    this.#watch = new PilotWatch(queue, leaseMs);
    this.#barred = new Map(queue.barred().map((each) => [each.name, each]));
  }

  /** Looks at all heartbeats. */
  look(): void {
    this.#watch.look();
  }

  /** Asks the cluster for pilots that are gone, maybe before their heartbeats say so, and whether it took them away. */
  askCluster(): void {
    for (const pilot of this.#watch.all()) {
      const gone = this.#source?.gone?.(pilot);
      if (gone === undefined) continue;
      if (gone.how === "preempted") this.#preempted.add(pilot.name);
      this.#watch.lose(pilot.name, gone.reason);
    }
  }

  /** Whether pilots are left that have not ended. */
  get hasLive(): boolean {
    return this.#watch.live().length > 0;
  }

  /** The pilot that has claimed an entry. */
  claimant(name: string): Pilot {
    return this.#watch.claimant(name);
  }

  isBarred({ name }: Pilot): boolean {
    return this.#barred.has(name);
  }

  /** How a lost pilot went: `preempted` is no fault of its attempt. */
  howLost({ name }: Pilot): "lost" | "preempted" {
    return this.#preempted.has(name) ? "preempted" : "lost";
  }

  /** A pilot that is lost takes nothing more, even if it is only frozen. */
  remove(pilot: Pilot): void {
    this.#bar(pilot);
    this.#queue.removePilot(pilot.name);
  }

  /** Forgets pilots that have ended and have no claims, and bars those that are lost. */
  clear(claimants: ReadonlySet<string>): void {
    this.#watch.forgetEnded(claimants);
    for (const pilot of this.#watch.all()) {
      const { name, lost, facts } = pilot;
      if (lost === undefined || claimants.has(name) || this.#barred.has(name)) continue;
      // One that comes back would take an attempt, and lose it at once. The file of one that refused says why.
      if (facts.state === "refused") this.#bar(pilot);
      else this.remove(pilot);
    }
  }

  /** Ends a pilot that did not stop its attempt, if a cluster can. */
  kill(pilot: Pilot): void {
    this.#source?.kill?.(pilot);
  }

  /** Has pilots started for as many attempts. @returns why there are not enough. */
  want(numAttempts: number): string | undefined {
    return this.#source?.want(numAttempts, this.#watch.all()) ?? this.#missing();
  }

  /** A pilot gets its next attempt before it has ended the one that it runs. */
  capacity(maxAttempts: number): { numSlots: number; numWorkers: number } {
    const numReady = this.#watch.ready().filter((pilot) => !this.isBarred(pilot)).length;
    return {
      numSlots: Math.min(maxAttempts, attemptsPerPilot * numReady),
      numWorkers: Math.min(maxAttempts, numReady),
    };
  }

  /** The pilots for people, those that are barred last. @param running what pilots run, by their names. */
  workers(running: ReadonlyMap<string, Running>): WorkerNow[] {
    const live = this.#watch.all().filter((pilot) => pilot.lost === undefined && !this.isBarred(pilot));
    return [
      ...live.map((pilot) => workerNow(pilot, running.get(pilot.name), this.#watch.silentMs(pilot))),
      ...(this.#source?.givenUp?.() ?? []),
      ...[...this.#barred.values()].map(barredNow),
    ];
  }

  /** Time that a pilot has for attempts; undefined for no limit. */
  get limitMs(): number | undefined {
    return this.#source?.limitMs;
  }

  /** Starts pilots for as many attempts, and lets them work without this process. */
  async leave(numAttempts: number): Promise<void> {
    await this.#source?.leave?.(numAttempts);
  }

  /** Ends all pilots that are left, if a cluster started them. */
  async close(): Promise<void> {
    await this.#source?.close();
  }

  /** Another process runs the sweep now. */
  async abandon(): Promise<void> {
    await this.#source?.abandon?.();
  }

  #bar(pilot: Pilot): void {
    const { name, facts, lost = "it was barred before" } = pilot;
    const place = { name, worker: describePilot(pilot), node: nodeOf(pilot) };
    const barred: BarredPilot = this.#barred.get(name) ?? {
      schema_version: 1,
      ...place,
      reason: facts.error?.message ?? lost,
    };
    this.#barred.set(name, barred);
    this.#queue.bar(barred);
  }

  /** Why no attempt runs, if there are no pilots. */
  #missing(): string | undefined {
    const pilots = this.#watch.all();
    const refused = pilots.find(({ facts }) => facts.state === "refused");
    if (refused !== undefined)
      return `${describePilot(refused)} cannot run these trials: ${refused.facts.error?.message ?? ""}`;
    return pilots.length > 0 ? undefined : "no worker has joined";
  }
}

const attemptsPerPilot = 2;
