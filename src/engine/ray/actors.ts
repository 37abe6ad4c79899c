import { joinWords } from "../../base/format.ts";
import type { CliprpnError } from "../../contract/errors.ts";
import type { PilotFacts, RayEnded, RayMessage } from "../../contract/generated/types.ts";
import { FailedStarts } from "../queue/failed-starts.ts";
import type { PilotGone } from "../queue/pilot-source.ts";
import { describeSlowStart, type SlowStart } from "../queue/slow-start.ts";
import { ClusterNodes } from "./cluster-nodes.ts";

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
  readonly nodes = new ClusterNodes();
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
        this.nodes.listed(message);
        return;
      case "placed": {
        const actor = this.#actors.get(message.id);
        if (actor !== undefined) Object.assign(actor, { nodeId: message.node_id, placedAt: this.#now() });
        this.nodes.tried(message, this.#now());
        if (!message.is_shared) this.#actors.delete(message.id);
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

  /** The worker of an actor gave no sign of life. */
  silent(id: string, now: number): void {
    const nodeId = this.#actors.get(id)?.nodeId;
    if (nodeId !== undefined) this.nodes.markSilent(nodeId, now);
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
      return [{ id: `ray:${id}`, node: this.nodes.nameOf(actor.nodeId) }];
    });
  }

  /** Whether an actor has a node: it starts or works. */
  hasPlaced(): boolean {
    return this.usable().length > this.waiting().length;
  }

  /** Ids of nodes where no actor should run. */
  barred(): string[] {
    return [...new Set([...this.nodes.avoided(this.#now()), ...this.#failed.barredNodes()])];
  }

  /** Ids of nodes that were tried more than once. */
  givenUp(): string[] {
    return [...new Set([...this.nodes.avoided(this.#now(), 2), ...this.#failed.barredNodes()])];
  }

  /** Names of nodes where workers fail again and again. */
  failingNodes(): string[] {
    return this.#failed.barredNodes().map((id) => this.nodes.nameOf(id));
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
    const blind = this.nodes.blind();
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
    const node = nodeId === undefined ? "" : this.nodes.nameOf(nodeId);
    const hasReady = this.usable().some((other) => this.#actors.get(other)?.pilot === "ready");
    this.#failed.add({ id, node, message }, nodeId ?? "", hasReady);
  }

  #isDrained(actor: Actor | undefined): boolean {
    return actor?.nodeId !== undefined && this.nodes.isDrained(actor.nodeId);
  }
}
