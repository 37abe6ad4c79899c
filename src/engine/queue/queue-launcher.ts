import { randomBytes } from "node:crypto";
import { codeHashes } from "../../contract/code-identity.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { type EndedAttempt, schema_sha256 } from "../../contract/generated/types.ts";
import { messageOf } from "../error-message.ts";
import type { Attempt, AttemptEnd, Launcher, LeftAttempt, Told } from "../launcher.ts";
import { EventTail } from "./event-tail.ts";
import { describePilot, type Pilot, PilotWatch } from "./pilot-watch.ts";
import { attemptOf, entryOf, QueueFolder } from "./queue-folder.ts";

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

/** Starts and ends pilots, as a cluster does; by default a person starts them, and they end by themselves. */
export interface PilotSource {
  /** Called often: as many attempts run or could run. Says why there are not enough pilots, for people. */
  want(numAttempts: number, pilots: readonly Pilot[]): string | undefined;
  /** Whether the cluster knows that a pilot is gone, before its heartbeat says so. */
  gone?(pilot: Pilot): PilotGone | undefined;
  /** Ends a pilot that did not stop its attempt. */
  kill?(pilot: Pilot): void;
  /** Starts pilots for as many attempts, and lets them work without this process. */
  leave?(numAttempts: number): Promise<void>;
  /** Ends all pilots that are left. */
  close(): Promise<void>;
}

/** How a pilot went: `preempted` if the cluster took it away, which is no fault of its trial. */
export interface PilotGone {
  how: "lost" | "preempted";
  reason: string;
}

interface Followed {
  attempt: Attempt;
  entry: string;
  tail: EventTail;
  /** Set when it has started. */
  pilot?: Pilot;
  startedAt: number;
  isCanceled: boolean;
  /** When its pilot is killed, if it has not ended. */
  killAt: number;
  hasTimedOut: boolean;
}

/**
 * Runs attempts on pilots, which share a folder with this process: on other machines, or as jobs of a cluster. It writes attempts
 * into the queue, and looks every `pollMs` at what the pilots wrote.
 */
export class QueueLauncher implements Launcher {
  readonly #options: QueueLauncherOptions;
  readonly #queue: QueueFolder;
  readonly #pilots: PilotWatch;
  readonly #id = randomBytes(8).toString("hex");
  readonly #followed = new Map<string, Followed>();
  /** Entries of an earlier process that nobody wants; they are removed when they have ended. */
  readonly #unwanted = new Set<string>();
  readonly #barred: Set<string>;
  /** Pilots that the cluster took away. */
  readonly #preempted = new Set<string>();
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
    this.#barred = new Set(this.#queue.barred());
    this.#pilots = new PilotWatch(this.#queue, this.#leaseMs);
    this.#timer = setInterval(() => this.#guardedLook(), options.pollMs ?? 100);
  }

  async attach(take: (left: LeftAttempt) => Promise<Attempt | undefined>): Promise<void> {
    const { waiting, claims, ended } = this.#entries();
    const left = [...new Set([...waiting, ...claims.keys(), ...ended])].flatMap(
      (entry) => attemptOf(entry) ?? [],
    );
    // Of two attempts at a trial, which a process left that was killed, the newer one counts.
    left.sort((a, b) => b.number - a.number);
    // Together, since each may have to wait.
    await Promise.all(
      left.map(async (each) => {
        const attempt = await take(each);
        if (attempt === undefined) this.#discard(entryOf(each));
        else this.#follow(attempt);
      }),
    );
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
    await this.#options.pilots?.leave?.(this.#followed.size);
    this.#isClosed = true;
  }

  /** Asks pilots to end, and waits for those that have an attempt. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (!this.#isOurs()) return;
    this.#queue.stop();
    for (const { attempt } of this.#followed.values()) this.cancel(attempt);
    const end = performance.now() + this.#options.graceMs + closeMs;
    while ((this.#followed.size > 0 || this.#pilots.live().length > 0) && performance.now() < end) {
      this.#guardedLook();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.#options.pilots?.close();
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 60_000;
  }

  /** What waits, what runs and what has ended. */
  #entries(): { waiting: string[]; claims: Map<string, string>; ended: Set<string> } {
    // In this order: an entry that is claimed and ended meanwhile is not overlooked.
    const waiting = this.#queue.waiting();
    const claims = this.#queue.claims();
    return { waiting, claims, ended: this.#queue.ended() };
  }

  #follow(attempt: Attempt): Followed {
    const entry = entryOf({ trial_id: attempt.spec.trial_id, number: attempt.number });
    const followed: Followed = {
      attempt,
      entry,
      tail: new EventTail(this.#queue.eventsFile(entry)),
      startedAt: performance.now(),
      isCanceled: false,
      killAt: Number.POSITIVE_INFINITY,
      hasTimedOut: false,
    };
    this.#followed.set(entry, followed);
    return followed;
  }

  /** Ends an attempt of an earlier process. */
  #discard(entry: string): void {
    if (this.#queue.withdraw(entry) || !this.#queue.claims().has(entry)) {
      this.#queue.remove(entry, "");
      return;
    }
    this.#queue.cancel(entry, this.#options.graceMs);
    this.#unwanted.add(entry);
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
    const { claims, ended } = this.#entries();
    for (const pilot of this.#pilots.all()) this.#askCluster(pilot);
    for (const followed of [...this.#followed.values()])
      this.#lookAt(followed, claims.get(followed.entry), ended.has(followed.entry));
    this.#removeUnwanted(claims, ended);
    const claimants = new Set(claims.values());
    this.#pilots.forgetEnded(claimants);
    // One that comes back would take an attempt, and lose it at once.
    for (const { name, lost } of this.#pilots.all())
      if (lost !== undefined && !claimants.has(name) && !this.#barred.has(name)) this.#bar(name);
    this.#tellCapacity();
  }

  #lookAt(followed: Followed, claimant: string | undefined, hasEnded: boolean): void {
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

  #checkRunning(followed: Followed, pilot: Pilot): void {
    const { trialTimeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const now = performance.now();
    if (this.#barred.has(pilot.name)) this.#takeAway(followed, pilot, "preempted", "a barred worker took it");
    else if (pilot.lost !== undefined)
      this.#takeAway(followed, pilot, this.#preempted.has(pilot.name) ? "preempted" : "lost", pilot.lost);
    else if (!followed.hasTimedOut && now - followed.startedAt > trialTimeoutMs) {
      followed.hasTimedOut = true;
      this.#askToStop(followed);
    } else if (now > followed.killAt) {
      followed.killAt = Number.POSITIVE_INFINITY;
      this.#options.pilots?.kill?.(pilot);
    }
  }

  /** Ends an attempt for its pilot, which takes nothing more, even if it is only frozen. */
  #takeAway(followed: Followed, pilot: Pilot, how: "lost" | "preempted", reason: string): void {
    const { entry } = followed;
    this.#bar(pilot.name);
    this.#queue.removePilot(pilot.name);
    const end = { how, pilot: pilot.name, reason, error: null };
    this.#queue.tryEnd(entry, end);
    // The pilot may have been faster.
    this.#end(followed, this.#queue.end(entry) ?? { schema_version: 1, ...end });
  }

  #bar(name: string): void {
    this.#barred.add(name);
    this.#queue.bar(name);
  }

  #end(followed: Followed, end: EndedAttempt): void {
    const { attempt, entry, pilot } = followed;
    this.#followed.delete(entry);
    const told = this.#endOf(followed, end);
    this.#queue.remove(entry, pilot?.name ?? end.pilot ?? "");
    this.#tellCapacity();
    this.#tell({ type: "ended", attempt, end: told });
  }

  /** `outcome.json` counts, even if the pilot was lost after its worker wrote it. */
  #endOf({ attempt, pilot, isCanceled, hasTimedOut }: Followed, end: EndedAttempt): AttemptEnd {
    const outcome = attempt.outcome();
    if (outcome !== undefined) return { how: "outcome", outcome };
    if (end.how === "error" && end.error !== null && end.error.code !== "interrupted")
      return errorEnd(end.error.code, end.error.message, attempt);
    if (hasTimedOut) {
      const seconds = (this.#options.trialTimeoutMs ?? 0) / 1000;
      return errorEnd("timed_out", `run_trial took longer than ${seconds} s and was stopped`, attempt);
    }
    if (isCanceled) return { how: "canceled" };
    // Canceled by an earlier process that ran the sweep, which did not get to record it.
    if (end.how === "preempted" || end.how === "canceled") return { how: "preempted", reason: end.reason };
    const where = pilot === undefined ? "" : ` on ${describePilot(pilot)}`;
    const reason = end.how === "outcome" ? "it wrote no outcome" : end.reason;
    return errorEnd("worker_died", `the worker${where} was lost: ${reason}`, attempt);
  }

  #askToStop(followed: Followed): void {
    const { entry } = followed;
    const { graceMs } = this.#options;
    if (this.#queue.withdraw(entry)) return; // The next look ends it.
    this.#queue.cancel(entry, graceMs);
    followed.killAt = performance.now() + graceMs + killMs;
  }

  #askCluster(pilot: Pilot): void {
    const gone = pilot.lost === undefined ? this.#options.pilots?.gone?.(pilot) : undefined;
    if (gone === undefined) return;
    if (gone.how === "preempted") this.#preempted.add(pilot.name);
    this.#pilots.lose(pilot.name, gone.reason);
  }

  #removeUnwanted(claims: ReadonlyMap<string, string>, ended: ReadonlySet<string>): void {
    for (const entry of this.#unwanted) {
      const name = claims.get(entry) ?? "";
      if (!ended.has(entry) && name !== "" && this.#pilots.claimant(name).lost === undefined) continue;
      this.#unwanted.delete(entry);
      this.#queue.remove(entry, name);
    }
  }

  /** A pilot gets its next attempt before it has ended the one that it runs. */
  #tellCapacity(): void {
    const { maxAttempts } = this.#options;
    const ready = this.#pilots.ready().filter(({ name }) => !this.#barred.has(name));
    const numWorkers = Math.min(maxAttempts, ready.length);
    const numSlots = Math.min(maxAttempts, attemptsPerPilot * ready.length);
    const reason = this.#isClosed ? undefined : this.#wantPilots();
    const capacity = `${numSlots} ${numWorkers} ${reason}`;
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#tell({ type: "capacity", numSlots, numWorkers, ...(reason === undefined ? {} : { reason }) });
  }

  /** A source that can start no more pilots does not keep those that run from their ends. */
  #wantPilots(): string | undefined {
    try {
      return this.#options.pilots?.want(this.#numWanted, this.#pilots.all()) ?? this.#missing();
    } catch (error) {
      this.#tell({ type: "fault", error });
      return undefined;
    }
  }

  /** Why no attempt runs, if there are no pilots. */
  #missing(): string | undefined {
    const pilots = this.#pilots.all();
    const refused = pilots.find(({ facts }) => facts.state === "refused");
    if (refused !== undefined)
      return `${describePilot(refused)} cannot run these trials: ${refused.facts.error?.message ?? ""}`;
    return pilots.length > 0 ? undefined : "no worker has joined";
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

const attemptsPerPilot = 2;

/** The end of an entry that was taken back before a pilot had it, maybe by a process that was killed then. */
const withdrawn: EndedAttempt = { schema_version: 1, how: "canceled", pilot: null, reason: "", error: null };

/** How long pilots get to end, beside the time that their attempts have. */
const closeMs = 5000;

/** How long a pilot gets to kill its worker before it is killed itself. */
const killMs = 5000;

function errorEnd(
  code: ConstructorParameters<typeof CliprpnError>[0],
  message: string,
  attempt: Attempt,
): AttemptEnd {
  return { how: "error", error: new CliprpnError(code, messageOf({ code, message }, attempt)) };
}
