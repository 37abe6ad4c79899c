import { joinWords } from "../../base/format.ts";
import type { CliprpnError } from "../../contract/errors.ts";
import type {
  PilotFacts,
  RayAmounts,
  RayEnded,
  RayMessage,
  RayNode,
} from "../../contract/generated/types.ts";
import { FailedStarts } from "../queue/failed-starts.ts";
import type { PilotGone } from "../queue/pilot-source.ts";
import { describeSlowStart, type SlowStart } from "../queue/slow-start.ts";
import { BlindNodes } from "./blind-nodes.ts";

/** An actor that was asked for. */
interface Actor {
  /** The id of its node; undefined while the cluster has no place for it. */
  nodeId: string | undefined;
  /** When it got its node. */
  placedAt: number;
  /** What its worker reported last. */
  pilot: PilotFacts["state"] | undefined;
  /** Whether its worker was asked to hand its attempt back. */
  isLeaving: boolean;
  /** How it went; undefined while it may work. */
  gone: PilotGone | undefined;
}

/** What became of the actors of a sweep, by what the driver and their workers say. */
export class Actors {
  readonly #actors = new Map<string, Actor>();
  readonly #failed = new FailedStarts();
  /** Names of nodes, by id. */
  readonly #names = new Map<string, string>();
  readonly #blind = new BlindNodes();
  /** Ids of nodes where a worker gave no sign of life, and until when they are avoided. */
  readonly #silent = new Map<string, number>();
  /** Ids of nodes that the cluster drains, or has drained: a node that comes back has another id. */
  readonly #drained = new Set<string>();
  #nodes: readonly RayNode[] = [];
  /** The latest of each name: one that is away may come back, under another id. */
  readonly #known = new Map<string, RayNode>();
  #free: RayAmounts = {};

  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  asked(ids: readonly string[]): void {
    const actor = { nodeId: undefined, placedAt: 0, pilot: undefined, isLeaving: false, gone: undefined };
    for (const id of ids) this.#actors.set(id, { ...actor });
  }

  told(message: RayMessage): void {
    switch (message.type) {
      case "connected":
      case "nodes":
        this.#nodes = message.nodes;
        this.#free = message.free;
        for (const node of message.nodes) {
          this.#names.set(node.id, node.name);
          this.#known.set(node.name, node);
          if (node.is_draining) this.#drained.add(node.id);
        }
        return;
      case "placed": {
        const actor = this.#actors.get(message.id);
        if (actor !== undefined) Object.assign(actor, { nodeId: message.node_id, placedAt: this.#now() });
        this.#names.set(message.node_id, message.node);
        if (message.is_shared) {
          this.#blind.delete(message.node_id);
          return;
        }
        this.#blind.add(message.node_id, this.#now());
        this.#actors.delete(message.id);
        return;
      }
      case "ended":
        this.#ended(message);
    }
  }

  /** The worker of an actor was seen. */
  reports(id: string, { state, error }: PilotFacts): void {
    const actor = this.#actors.get(id);
    if (actor === undefined || actor.pilot === state) return;
    const wasReady = actor.pilot === "ready";
    actor.pilot = state;
    if (state === "ready") this.#failed.ready(actor.nodeId ?? "");
    // One that was ready met an error of the disk, which its attempt tells.
    if (state !== "refused" || wasReady) return;
    // Ray's word may come first.
    if (actor.gone === undefined) this.#fail(id, actor, error?.message);
    else if (error !== null) this.#failed.explain(id, error.message);
  }

  /** An actor that is ended takes no attempt any more. */
  end(id: string, how: PilotGone["how"], reason: string): void {
    const actor = this.#actors.get(id);
    if (actor !== undefined) actor.gone ??= { how, reason };
  }

  /** The worker of an actor gave no sign of life: Ray finds only after a minute that a node is frozen. */
  silent(id: string, now: number): void {
    const nodeId = this.#actors.get(id)?.nodeId;
    if (nodeId !== undefined) this.#silent.set(nodeId, now + avoidMs);
  }

  /** How an actor went; undefined while it may work. */
  gone(id: string): PilotGone | undefined {
    const actor = this.#actors.get(id);
    return actor === undefined ? { how: "lost", reason: "its Ray actor has ended" } : actor.gone;
  }

  /** Actors whose node is drained: from now on, their workers hand their attempts back. @returns those that were not yet asked. */
  leaveDrained(): string[] {
    const ids = this.usable().filter((id) => this.#isDrained(this.#actors.get(id)));
    for (const id of ids) {
      const actor = this.#actors.get(id);
      if (actor !== undefined) actor.isLeaving = true;
    }
    return ids;
  }

  /** Forgets actors that are gone, but those of these workers. */
  forgetGone(workers: ReadonlySet<string>): void {
    for (const [id, { gone }] of this.#actors)
      if (gone !== undefined && !workers.has(id)) this.#actors.delete(id);
  }

  /** Actors that work, start or wait. */
  usable(): string[] {
    return [...this.#actors].flatMap(([id, { gone, isLeaving }]) =>
      gone === undefined && !isLeaving ? [id] : [],
    );
  }

  /** Actors that the cluster has no place for. */
  waiting(): string[] {
    return this.usable().filter((id) => this.#actors.get(id)?.nodeId === undefined);
  }

  /** Actors whose worker is not ready yet. */
  starting(): string[] {
    return this.usable().filter((id) => {
      const actor = this.#actors.get(id);
      return actor?.nodeId !== undefined && actor.pilot !== "ready";
    });
  }

  /** Ends actors whose workers were not ready in time, each once: they count as failed. */
  endTooSlow(maxMs: number): SlowStart[] {
    return this.starting().flatMap((id) => {
      const actor = this.#actors.get(id);
      if (actor?.nodeId === undefined || this.#now() - actor.placedAt < maxMs) return [];
      const reason = describeSlowStart(maxMs);
      this.end(id, "lost", reason);
      if (actor.pilot !== "refused") this.#fail(id, actor, reason);
      return [{ id: `ray:${id}`, node: this.#nameOf(actor.nodeId) }];
    });
  }

  /** Whether an actor has a node: it starts or works. */
  hasPlaced(): boolean {
    return this.usable().length > this.waiting().length;
  }

  get nodes(): readonly RayNode[] {
    return this.#nodes;
  }

  /** Nodes of the cluster, also those that are away. */
  knownNodes(): RayNode[] {
    return [...this.#known.values()];
  }

  /** What no actor has, by the name of the resource. */
  get free(): RayAmounts {
    return this.#free;
  }

  /** Ids of nodes where no actor should run. */
  barred(): string[] {
    return [...new Set([...this.#blind.avoided(this.#now()), ...this.#failed.barredNodes()])];
  }

  /** Ids of nodes that were tried more than once. */
  givenUp(): string[] {
    return [...new Set([...this.#blind.avoided(this.#now(), 2), ...this.#failed.barredNodes()])];
  }

  /** Ids of nodes that had better be avoided. */
  silentNodes(now: number): string[] {
    return [...this.#silent].flatMap(([id, until]) => (until > now ? [id] : []));
  }

  /** Names of nodes that do not see the shared folder. */
  blindNodes(): string[] {
    return this.#blind.ids().map((id) => this.#nameOf(id));
  }

  /** Names of nodes that the cluster is about to take away. */
  drainingNodes(): string[] {
    return this.#nodes.flatMap(({ name, is_draining }) => (is_draining ? [name] : []));
  }

  /** Names of nodes where workers fail again and again. */
  failingNodes(): string[] {
    return this.#failed.barredNodes().map((id) => this.#nameOf(id));
  }

  /** Time to wait before the next actors, which grows while they fail. */
  waitMs(): number {
    return this.#failed.waitMs();
  }

  /**
   * The error if actors end before their workers are ready, again and again.
   *
   * @param isLast whether there is no other node than those where they do.
   */
  startFault(logFolder: string, { isLast }: { isLast: boolean }): CliprpnError | undefined {
    const blind = this.blindNodes();
    const words = {
      what: "Ray actors",
      advice: `Nodes need the Python of this machine under the same path, and this folder${blind.length === 0 ? "" : `, which ${joinWords(blind)} did not see`}`,
    };
    return (
      this.#failed.fault(logFolder, words) ??
      (isLast ? this.#failed.faultOfNodes(logFolder, words) : undefined)
    );
  }

  #ended({ id, how, reason }: RayEnded): void {
    const actor = this.#actors.get(id);
    if (actor === undefined || actor.gone !== undefined) return;
    const isPreempted = how === "preempted" || this.#isDrained(actor);
    actor.gone = {
      how: isPreempted ? "preempted" : "lost",
      reason: reason === "" ? "its process has ended" : reason,
    };
    if (isPreempted || actor.pilot === "ready" || actor.pilot === "refused") return;
    // What a worker printed says more than its exit code.
    this.#fail(id, actor, how === "lost" ? reason : undefined);
  }

  #fail(id: string, { nodeId }: Actor, message: string | undefined): void {
    const node = nodeId === undefined ? "" : this.#nameOf(nodeId);
    const hasReady = this.usable().some((other) => this.#actors.get(other)?.pilot === "ready");
    this.#failed.add({ id, node, message }, nodeId ?? "", hasReady);
  }

  #isDrained(actor: Actor | undefined): boolean {
    return actor?.nodeId !== undefined && this.#drained.has(actor.nodeId);
  }

  #nameOf(id: string): string {
    return this.#names.get(id) ?? id.slice(0, 8);
  }
}

/** Longer than Ray takes to find that a node is frozen. */
const avoidMs = 120_000;

/** The actor in the label of a worker, `ray:RUN.3@node`: the driver that started it, and its number there. */
export function parseRayLabel(label: string): { id: string; run: string; node: string } | undefined {
  const [, id, run, node] = /^ray:(([0-9a-f]+)\.\d+)@(.*)$/.exec(label) ?? [];
  return id === undefined || run === undefined || node === undefined ? undefined : { id, run, node };
}
