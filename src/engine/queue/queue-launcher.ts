import { randomBytes } from "node:crypto";
import { codeHashes } from "../../contract/code-identity.ts";
import { CliprpnError } from "../../contract/errors.ts";
import {
  type PreparationOutcome,
  type Roots,
  schema_sha256,
  type WorkerNow,
} from "../../contract/generated/types.ts";
import type {
  Attempt,
  AttemptEnd,
  Launcher,
  LeftAttempt,
  Preparation,
  PrepareOptions,
  Told,
} from "../launcher.ts";
import { FollowedAttempts } from "./followed-attempts.ts";
import { LeftAttempts } from "./left-attempts.ts";
import { PilotPool } from "./pilot-pool.ts";
import type { PilotSource } from "./pilot-source.ts";
import { entryOf, preparationEntry, preparationOf, QueueFolder } from "./queue-folder.ts";
import { preparationWork, type QueuedWork, trialWork } from "./queued-work.ts";
import { WorkerChanges } from "./worker-states.ts";

export interface QueueLauncherOptions {
  /** `queue/` of the sweep; created if needed. */
  folder: string;
  runsDir: string;
  /** CPU threads of each trial; null for torch's default. */
  numThreads: number | null;
  /** Attempts that run or wait in the queue at the same time. */
  maxAttempts: number;
  tell: (told: Told) => void;
  /** Time that an attempt gets to stop before its pilot kills it. */
  graceMs: number;
  /** An attempt that takes longer is ended. */
  trialTimeoutMs?: number;
  /** A pilot without a heartbeat for this time is lost; NFS shows changes up to a minute later. */
  leaseMs?: number;
  pollMs?: number;
  /** Folders of this machine, and what they are called where pilots run. */
  roots?: Roots | undefined;
  /** Where pilots come from. */
  pilots?: PilotSource;
}

/**
 * Runs attempts on pilots, which share a folder with this process: on other machines, or as jobs of a cluster. It writes attempts
 * into the queue, and looks every `pollMs` at what the pilots wrote.
 */
export class QueueLauncher implements Launcher {
  readonly #options: QueueLauncherOptions;
  readonly #queue: QueueFolder;
  readonly #pilots: PilotPool;
  readonly #left: LeftAttempts;
  readonly #id = randomBytes(8).toString("hex");
  readonly #followed: FollowedAttempts;
  readonly #timer: NodeJS.Timeout;
  readonly #changes = new WorkerChanges();
  #numWanted = 0;
  #capacity = "";
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Another process runs the sweep now. */
  #deposed: CliprpnError | undefined;

  constructor(options: QueueLauncherOptions) {
    this.#options = options;
    this.#queue = new QueueFolder(options.folder);
    this.#queue.open({
      schema_version: 1,
      controller: this.#id,
      runs_dir: options.runsDir,
      sources_sha256: codeHashes(),
      schema_sha256,
      num_threads: options.numThreads,
      beat_s: this.#leaseMs / 20_000,
      lease_s: this.#leaseMs / 1000,
      roots: options.roots ?? {},
    });
    this.#pilots = new PilotPool(this.#queue, this.#leaseMs, options.pilots);
    this.#left = new LeftAttempts(this.#queue, options.graceMs);
    this.#followed = new FollowedAttempts(this.#queue, this.#pilots, {
      graceMs: options.graceMs,
      trialTimeoutMs: options.trialTimeoutMs,
      leaseMs: this.#leaseMs,
    });
    this.#timer = setInterval(() => this.#guardedLook(), options.pollMs ?? 100);
  }

  async attach(take: (left: LeftAttempt) => Promise<Attempt | undefined>): Promise<void> {
    // The start of what runs is told at once: it is not to be canceled, whatever fails before the first look.
    await this.#left.takeOver(take, (attempt, pilot) =>
      this.#followed.follow(this.#trialWork(attempt), pilot),
    );
  }

  workers(): WorkerNow[] {
    return this.#pilots.workers(this.#followed.running());
  }

  want(numAttempts: number): void {
    this.#numWanted = numAttempts;
  }

  submit(attempt: Attempt): void {
    this.#submit(this.#trialWork(attempt));
  }

  #submit(work: QueuedWork): void {
    const isOurs = this.#isOurs();
    if (isOurs) this.#queue.submit(work.entry, work.content);
    this.#followed.follow(work);
    if (!isOurs) this.#depose();
  }

  #trialWork(attempt: Attempt): QueuedWork {
    return trialWork(attempt, (told) => {
      if (told.type === "ended") this.#tellCapacity(); // Its pilot may be gone.
      this.#tell(told);
    });
  }

  async prepare(preparation: Preparation, options: PrepareOptions): Promise<AttemptEnd<PreparationOutcome>> {
    const { signal } = options;
    const entry = preparationEntry(preparation.number);
    const left = this.#left.preparations();
    for (const each of left.keys()) if (each !== entry) this.#left.discard(each);
    const onAbort = (): void => this.#cancel(entry);
    signal.addEventListener("abort", onAbort);
    try {
      const end = await new Promise<AttemptEnd<PreparationOutcome>>((resolve) => {
        const work = preparationWork(preparation, options, resolve);
        if (left.has(entry)) this.#followed.follow(work, left.get(entry));
        else this.#submit(work);
        if (signal.aborted) onAbort();
      });
      if (this.#deposed !== undefined) throw this.#deposed;
      return end;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  leftPreparation(): number | undefined {
    const numbers = [...this.#left.preparations().keys()].flatMap((entry) => preparationOf(entry) ?? []);
    return numbers.length === 0 ? undefined : Math.max(...numbers);
  }

  cancel({ spec, number }: Attempt): void {
    this.#cancel(entryOf({ trial_id: spec.trial_id, number }));
  }

  #cancel(entry: string): void {
    try {
      if (this.#isOurs()) this.#followed.cancel(entry);
    } catch (error) {
      this.#tell({ type: "fault", error });
    }
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pilots.leave(this.#followed.size - (this.#followed.hasPreparation ? 1 : 0));
    this.#isClosed = true;
  }

  takeBack(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (!this.#isOurs()) return;
    this.#queue.stop();
    this.#followed.withdraw();
  }

  /** Asks pilots to end, and waits for those that have an attempt. @throws an error of the disk. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (!this.#isOurs()) {
      await this.#pilots.abandon();
      return;
    }
    try {
      this.#queue.stop();
      for (const entry of this.#followed.entries) this.#cancel(entry);
      const end = performance.now() + this.#options.graceMs + closeMs;
      while ((this.#followed.size > 0 || this.#pilots.hasLive) && performance.now() < end) {
        this.#guardedLook();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      await this.#pilots.close(); // Those that a full disk keeps from being asked, too.
    }
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 60_000;
  }

  #guardedLook(): void {
    try {
      this.#look();
    } catch (error) {
      this.#tell({ type: "fault", error });
    }
  }

  #look(): void {
    if (this.#deposed !== undefined) return;
    const now = performance.now();
    if (now - this.#checkedAt >= Math.min(1000, this.#leaseMs / 10)) {
      this.#checkedAt = now;
      if (!this.#isOurs()) {
        this.#depose();
        return;
      }
      this.#pilots.look();
      for (const change of this.#changes.next(this.workers())) this.#tell({ type: "worker", ...change });
    }
    // In this order: an entry that ends meanwhile is not taken for one that is gone.
    const claims = this.#queue.claims();
    const ended = this.#queue.ended();
    this.#pilots.askCluster();
    this.#followed.look(claims, ended);
    this.#left.removeEnded(claims, ended, this.#pilots);
    this.#pilots.clear(new Set(claims.values()));
    this.#tellCapacity();
  }

  #tellCapacity(): void {
    const { numSlots, numWorkers } = this.#pilots.capacity(this.#options.maxAttempts);
    const reason = this.#isClosed ? undefined : this.#wantPilots();
    const capacity = `${numSlots} ${numWorkers} ${reason}`;
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#tell({ type: "capacity", numSlots, numWorkers, ...(reason === undefined ? {} : { reason }) });
  }

  /** A source that can start no more pilots does not keep those that run from their ends. */
  #wantPilots(): string | undefined {
    try {
      return this.#pilots.want(Math.max(this.#numWanted, this.#followed.size));
    } catch (error) {
      this.#tell({ type: "fault", error });
      return undefined;
    }
  }

  /** Whether no other process has taken the queue over, while this one was suspended for example. */
  #isOurs(): boolean {
    const controller = this.#queue.controller();
    return controller === undefined || controller === this.#id;
  }

  /** The other process follows the attempts from now on; nothing of this one counts. */
  #depose(): void {
    const message = `${this.#options.folder}: another cliprpn process runs this sweep now; this one stopped`;
    this.#deposed = new CliprpnError("locked", message);
    clearInterval(this.#timer);
    this.#tell({ type: "fault", error: this.#deposed });
    for (const work of this.#followed.forget()) work.ended({ how: "canceled" });
  }

  #tell(told: Told): void {
    if (!this.#isClosed) this.#options.tell(told);
  }
}

/** How long pilots get to end, beside the time that their attempts have. */
const closeMs = 5000;
