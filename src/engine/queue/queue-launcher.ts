import { randomBytes } from "node:crypto";
import { codeHashes } from "../../contract/code-identity.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { type EndedAttempt, schema_sha256 } from "../../contract/generated/types.ts";
import type { Attempt, Launcher, LeftAttempt, Told } from "../launcher.ts";
import { endOfAttempt, type FollowedAttempt, followAttempt } from "./followed-attempt.ts";
import { LeftAttempts } from "./left-attempts.ts";
import { PilotPool } from "./pilot-pool.ts";
import type { PilotSource } from "./pilot-source.ts";
import { describePilot, type Pilot } from "./pilot-watch.ts";
import { entryOf, QueueFolder } from "./queue-folder.ts";

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
  readonly #followed = new Map<string, FollowedAttempt>();
  readonly #timer: NodeJS.Timeout;
  #numWanted = 0;
  #capacity = "";
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #isDeposed = false;

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
    });
    this.#pilots = new PilotPool(this.#queue, this.#leaseMs, options.pilots);
    this.#left = new LeftAttempts(this.#queue, options.graceMs);
    this.#timer = setInterval(() => this.#guardedLook(), options.pollMs ?? 100);
  }

  async attach(take: (left: LeftAttempt) => Promise<Attempt | undefined>): Promise<void> {
    await this.#left.takeOver(take, (attempt) => this.#follow(attempt));
  }

  want(numAttempts: number): void {
    this.#numWanted = numAttempts;
  }

  submit(attempt: Attempt): void {
    if (!this.#isOurs()) {
      this.#follow(attempt);
      this.#depose();
      return;
    }
    const entry = entryOf({ trial_id: attempt.spec.trial_id, number: attempt.number });
    const { spec, number, folder, logFile, keep_models, resume_from, checkpoint_minutes, fusionFile } =
      attempt;
    this.#queue.submit(entry, {
      schema_version: 1,
      attempt: number,
      log_file: logFile,
      params: {
        spec,
        folder,
        keep_models,
        resume_from: [...(resume_from ?? [])],
        checkpoint_minutes: checkpoint_minutes ?? 0,
        ...(fusionFile === undefined ? {} : { fusion_file: fusionFile }),
      },
    });
    this.#follow(attempt);
  }

  cancel(attempt: Attempt): void {
    const followed = this.#followed.get(entryOf({ trial_id: attempt.spec.trial_id, number: attempt.number }));
    if (followed === undefined || followed.isCanceled || !this.#isOurs()) return;
    followed.isCanceled = true;
    try {
      this.#askToStop(followed);
    } catch (error) {
      this.#tell({ type: "fault", error });
    }
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pilots.leave(this.#followed.size);
    this.#isClosed = true;
  }

  /** Asks pilots to end, and waits for those that have an attempt. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (!this.#isOurs()) {
      await this.#pilots.abandon();
      return;
    }
    this.#queue.stop();
    for (const { attempt } of this.#followed.values()) this.cancel(attempt);
    const end = performance.now() + this.#options.graceMs + closeMs;
    while ((this.#followed.size > 0 || this.#pilots.hasLive) && performance.now() < end) {
      this.#guardedLook();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.#pilots.close();
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 60_000;
  }

  #follow(attempt: Attempt): void {
    const followed = followAttempt(attempt, this.#queue);
    this.#followed.set(followed.entry, followed);
  }

  #guardedLook(): void {
    try {
      this.#look();
    } catch (error) {
      this.#tell({ type: "fault", error });
    }
  }

  #look(): void {
    if (this.#isDeposed) return;
    const now = performance.now();
    if (now - this.#checkedAt >= Math.min(1000, this.#leaseMs / 10)) {
      this.#checkedAt = now;
      if (!this.#isOurs()) {
        this.#depose();
        return;
      }
      this.#pilots.look();
    }
    // In this order: an entry that ends meanwhile is not taken for one that is gone.
    const claims = this.#queue.claims();
    const ended = this.#queue.ended();
    this.#pilots.askCluster();
    for (const followed of [...this.#followed.values()])
      this.#lookAt(followed, claims.get(followed.entry), ended.has(followed.entry));
    this.#left.removeEnded(claims, ended, this.#pilots);
    this.#pilots.clear(new Set(claims.values()));
    this.#tellCapacity();
  }

  #lookAt(followed: FollowedAttempt, claimant: string | undefined, hasEnded: boolean): void {
    const { entry, attempt } = followed;
    const end = hasEnded ? this.#queue.end(entry) : undefined;
    const name = claimant ?? end?.pilot ?? undefined;
    if (followed.pilot === undefined && name !== undefined && name !== "") {
      // A short one has ended before it is seen to start.
      const pilot = this.#pilots.claimant(name);
      Object.assign(followed, { pilot, startedAt: performance.now() });
      this.#tell({ type: "started", attempt, slot: pilot.slot, worker: describePilot(pilot) });
    }
    if (followed.pilot !== undefined)
      for (const event of followed.tail.read()) this.#tell({ type: "event", attempt, event });
    if (end !== undefined) this.#end(followed, end);
    else if (claimant === "") this.#end(followed, withdrawn);
    else if (followed.pilot !== undefined) this.#checkRunning(followed, followed.pilot);
  }

  #checkRunning(followed: FollowedAttempt, pilot: Pilot): void {
    const { trialTimeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const now = performance.now();
    if (this.#pilots.isBarred(pilot)) this.#takeAway(followed, pilot, "preempted", "a barred worker took it");
    else if (pilot.lost !== undefined)
      this.#takeAway(followed, pilot, this.#pilots.howLost(pilot), pilot.lost);
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
    this.#end(followed, this.#queue.end(entry) ?? { schema_version: 1, ...end });
  }

  #end(followed: FollowedAttempt, end: EndedAttempt): void {
    const { attempt, entry, pilot } = followed;
    this.#followed.delete(entry);
    const told = endOfAttempt(followed, end, this.#options.trialTimeoutMs);
    this.#queue.remove(entry, pilot?.name ?? end.pilot ?? "");
    this.#tellCapacity();
    this.#tell({ type: "ended", attempt, end: told });
  }

  #askToStop(followed: FollowedAttempt): void {
    const { entry } = followed;
    const { graceMs } = this.#options;
    if (this.#queue.withdraw(entry)) return; // The next look ends it.
    this.#queue.cancel(entry, graceMs);
    followed.killAt = performance.now() + graceMs + killMs;
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
      return this.#pilots.want(this.#numWanted);
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
    this.#isDeposed = true;
    clearInterval(this.#timer);
    const left = [...this.#followed.values()];
    this.#followed.clear();
    const message = `${this.#options.folder}: another cliprpn process runs this sweep now; this one stopped`;
    this.#tell({ type: "fault", error: new CliprpnError("locked", message) });
    for (const { attempt } of left) this.#tell({ type: "ended", attempt, end: { how: "canceled" } });
  }

  #tell(told: Told): void {
    if (!this.#isClosed) this.#options.tell(told);
  }
}

/** The end of an entry that was taken back before a pilot had it, maybe by a process that was killed then. */
const withdrawn: EndedAttempt = { schema_version: 1, how: "canceled", pilot: null, reason: "", error: null };

/** How long pilots get to end, beside the time that their attempts have. */
const closeMs = 5000;

/** How long a pilot gets to kill its worker before it is killed itself. */
const killMs = 5000;
