import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../../base/files.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { RaySetup, WorkerNow } from "../../contract/generated/types.ts";
import type { PilotGone, PilotSource } from "../queue/pilot-source.ts";
import type { Pilot } from "../queue/pilot-watch.ts";
import { maxStartMs, type SlowStart, slowWorker } from "../queue/slow-start.ts";
import { Actors } from "./actors.ts";
import { describeActors, hasNoPlace, nodesToAvoid } from "./describe-actors.ts";
import { RayDriver, type RayDriverOptions, type RayPython, reachS } from "./ray-driver.ts";
import { parseRayLabel } from "./ray-label.ts";

export interface RayPilotsOptions extends RayPython {
  address: string;
  actor: RaySetup["actor"];
  /** The worker: program and arguments. */
  command: readonly string[];
  /** Variables of its environment. */
  workerEnv: Readonly<Record<string, string>>;
  /** `queue/` of the sweep. */
  queue: string;
  /** What it is called on the nodes, if they have another name for it. */
  queueThere?: string;
  /** Actors at the same time. */
  maxWorkers: number;
  /** Time of an actor with a node until its worker is ready, at most. */
  maxStartMs?: number;
  now?: () => number;
  /** For tests: starts what stands for a driver. */
  startDriver?: (options: RayDriverOptions) => DriverProcess;
}

type DriverProcess = Pick<RayDriver, "connected" | "send" | "close">;

/**
 * Keeps as many actors of a Ray cluster as there are attempts to run. An actor that ends is replaced; Ray's word about it comes before
 * the heartbeat of its worker. Workers on a node that the cluster drains hand their attempts back, and others take their place. All of them end with the driver, and that with this process.
 */
export class RayPilots implements PilotSource {
  readonly #options: RayPilotsOptions;
  readonly #now: () => number;
  readonly #actors = new Actors(() => this.#now());
  #driver: DriverProcess | undefined;
  /** The ends of drivers that were lost. */
  readonly #ending = new Set<Promise<void>>();
  #isConnected = false;
  /** Identifies the driver in the labels of its workers, and in the folder. */
  #run = "";
  #numAsked = 0;
  readonly #slow: SlowStart[] = [];
  /** Ids of the nodes that actors which wait may not have. */
  #without: readonly string[] = [];
  /** Drivers that were lost since a worker was last ready. */
  #numLost = 0;
  #nextStart = Number.NEGATIVE_INFINITY;
  #fault: unknown;
  #isClosed = false;

  constructor(options: RayPilotsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  want(numAttempts: number, pilots: readonly Pilot[]): string | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    this.#see(pilots);
    for (const id of this.#actors.leaveDrained()) this.#driver?.send({ type: "leave", id });
    if (!this.#isClosed && this.#driver === undefined) this.#connect();
    if (this.#isConnected && !this.#isClosed) this.#adjust(Math.min(numAttempts, this.#options.maxWorkers));
    if (this.#fault !== undefined) throw this.#fault;
    return this.#isConnected ? describeActors(this.#actors, this.#options.actor) : "connecting to Ray";
  }

  gone(pilot: Pilot): PilotGone | undefined {
    const label = parseRayLabel(pilot.facts.label);
    if (label === undefined) return undefined;
    if (label.run !== this.#run) return { how: "preempted", reason: "its Ray driver has ended" };
    return this.#actors.gone(label.id);
  }

  givenUp(): WorkerNow[] {
    return this.#slow.map((slow) => slowWorker(slow, this.#maxStartMs));
  }

  kill(pilot: Pilot): void {
    const label = parseRayLabel(pilot.facts.label);
    if (label?.run === this.#run) this.#end(label.id);
  }

  async close(): Promise<void> {
    await this.abandon();
    this.#removeProbe();
  }

  /** Its actors are of no use to another process. */
  async abandon(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#ending, this.#driver?.close()]);
  }

  get #maxStartMs(): number {
    return this.#options.maxStartMs ?? maxStartMs;
  }

  /** Takes note of what workers say. */
  #see(pilots: readonly Pilot[]): void {
    const workers = new Set<string>();
    for (const { facts, lost, isSilent = false } of pilots) {
      const label = parseRayLabel(facts.label);
      if (label === undefined || label.run !== this.#run) continue;
      workers.add(label.id);
      this.#actors.reports(label.id, facts);
      if (facts.state === "ready") this.#numLost = 0;
      if (lost === undefined || this.#actors.gone(label.id) !== undefined) continue;
      if (isSilent) this.#actors.silent(label.id, this.#now());
      this.#end(label.id);
    }
    this.#actors.forgetGone(workers);
  }

  #connect(): void {
    const {
      queue,
      queueThere = queue,
      address,
      actor,
      command,
      workerEnv,
      python,
      env,
      extraModulePath = [],
    } = this.#options;
    const { startDriver = (options) => new RayDriver(options) } = this.#options;
    this.#removeProbe();
    this.#run = randomBytes(4).toString("hex");
    const probe = randomBytes(16).toString("hex");
    const probeName = `${probePrefix}${this.#run}`;
    writeFileSync(join(queue, probeName), probe);
    const worker = {
      command: [...command],
      env: { ...workerEnv },
      log_folder: join(queueThere, "logs"),
      probe_file: join(queueThere, probeName),
      probe,
    };
    this.#driver = startDriver({
      python,
      env,
      extraModulePath,
      setup: { address, connect_s: reachS, actor, worker },
      onMessage: (message) => this.#actors.told(message),
      onLost: (error) => this.#loseDriver(error),
    });
    this.#driver.connected().then(
      () => {
        this.#isConnected = true;
      },
      () => undefined, // `onLost` is called, too.
    );
  }

  /** All its actors are gone. The machine may have killed it; one that cannot connect is of no use. */
  #loseDriver(error: CliprpnError): void {
    for (const id of this.#actors.usable()) this.#actors.end(id, "preempted", "its Ray driver has ended");
    this.#numLost += 1;
    if (!this.#isConnected || this.#numLost >= maxLost) this.#fault = error;
    this.#isConnected = false;
    if (this.#driver !== undefined) this.#ending.add(this.#driver.close());
    this.#driver = undefined;
  }

  /** Asks for actors that are missing, and takes back those that are too many and wait. */
  #adjust(numWanted: number): void {
    this.#tryAgain();
    for (const slow of this.#actors.endTooSlow(this.#maxStartMs)) {
      this.#slow.push(slow);
      this.#driver?.send({ type: "end", id: slow.id.replace("ray:", "") });
    }
    const numMissing = numWanted - this.#actors.usable().length;
    if (numMissing < 0) for (const id of this.#actors.waiting().slice(numMissing)) this.#end(id);
    if (numWanted > 0) this.#fault ??= this.#startFault();
    if (this.#fault !== undefined || numMissing <= 0 || this.#now() < this.#nextStart) return;
    const ids = Array.from({ length: numMissing }, () => `${this.#run}.${++this.#numAsked}`);
    this.#actors.asked(ids);
    const without_nodes = nodesToAvoid(this.#actors, this.#options.actor, this.#now());
    this.#without = [...new Set([...this.#without, ...without_nodes])];
    this.#driver?.send({ type: "start", ids, without_nodes });
    this.#nextStart = this.#now() + this.#actors.waitMs();
  }

  /** Takes back actors that wait without a node that is to be tried again; others are asked for in their place. */
  #tryAgain(): void {
    const avoided = nodesToAvoid(this.#actors, this.#options.actor, this.#now());
    if (this.#without.every((id) => avoided.includes(id))) return;
    for (const id of this.#actors.waiting()) this.#end(id);
    this.#without = [];
  }

  #end(id: string): void {
    this.#actors.end(id, "lost", "it was ended");
    this.#driver?.send({ type: "end", id });
  }

  /** The error if no actor works or starts, and the next ones would not either. */
  #startFault(): CliprpnError | undefined {
    if (this.#actors.hasPlaced()) return undefined;
    const { queue, actor } = this.#options;
    const isLast = hasNoPlace(this.#actors, actor);
    const fault = this.#actors.startFault(join(queue, "logs"), { isLast });
    if (fault !== undefined || !isLast) return fault;
    return new CliprpnError(
      "environment_broken",
      `--engine ray: expected nodes that see ${queue}, found none: ${this.#actors.nodes.blind().join(", ")} do not; use a shared folder (--runs-dir)`,
    );
  }

  #removeProbe(): void {
    const { queue } = this.#options;
    for (const name of namesIn(queue))
      if (name.startsWith(probePrefix)) rmSync(join(queue, name), { force: true });
  }
}

/** Of files that show which nodes see the folder. */
const probePrefix = "ray-probe-";

/** Drivers that may be lost one after the other. */
const maxLost = 3;
