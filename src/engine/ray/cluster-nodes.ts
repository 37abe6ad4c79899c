import type { RayAmounts, RayMessage, RayNode } from "../../contract/generated/types.ts";
import { BlindNodes } from "./blind-nodes.ts";

/** The nodes of a Ray cluster, by what the driver says: those that are away, drained, silent, or do not see the shared folder. */
export class ClusterNodes {
  #current: readonly RayNode[] = [];
  #free: RayAmounts = {};
  /** The latest of each name: one that is away may come back, under another id. */
  readonly #known = new Map<string, RayNode>();
  /** Names, by id. */
  readonly #names = new Map<string, string>();
  readonly #blind = new BlindNodes();
  /** Ids of nodes where a worker gave no sign of life, and until when they are avoided. */
  readonly #silent = new Map<string, number>();
  /** Ids of nodes that the cluster drains, or has drained: a node that comes back has another id. */
  readonly #drained = new Set<string>();

  /** The nodes of the cluster now, and what no actor has. */
  listed({ nodes, free }: Pick<Extract<RayMessage, { type: "nodes" }>, "nodes" | "free">): void {
    this.#current = nodes;
    this.#free = free;
    for (const node of nodes) {
      this.#names.set(node.id, node.name);
      this.#known.set(node.name, node);
      if (node.is_draining) this.#drained.add(node.id);
    }
  }

  /** A node got an actor, which sees the shared folder, or not. @param now in ms. */
  tried({ node_id, node, is_shared }: Extract<RayMessage, { type: "placed" }>, now: number): void {
    this.#names.set(node_id, node);
    if (is_shared) this.#blind.delete(node_id);
    else this.#blind.add(node_id, now);
  }

  /** A worker on a node gave no sign of life: Ray finds only after a minute that a node is frozen. */
  markSilent(id: string, now: number): void {
    this.#silent.set(id, now + avoidMs);
  }

  /** Nodes that the cluster has now. */
  get current(): readonly RayNode[] {
    return this.#current;
  }

  /** What no actor has, by the name of the resource. */
  get free(): RayAmounts {
    return this.#free;
  }

  /** Also those that are away. */
  known(): RayNode[] {
    return [...this.#known.values()];
  }

  /** The name of a node; before it is known, the start of its id. */
  nameOf(id: string): string {
    return this.#names.get(id) ?? id.slice(0, 8);
  }

  isDrained(id: string): boolean {
    return this.#drained.has(id);
  }

  /** Names of nodes that the cluster is about to take away. */
  draining(): string[] {
    return this.#current.flatMap(({ name, is_draining }) => (is_draining ? [name] : []));
  }

  /** Ids of nodes that had better be avoided. */
  silent(now: number): string[] {
    return [...this.#silent].flatMap(([id, until]) => (until > now ? [id] : []));
  }

  /** Names of nodes that do not see the shared folder. */
  blind(): string[] {
    return this.#blind.ids().map((id) => this.nameOf(id));
  }

  /** Ids of nodes that are not tried now, since they do not see the shared folder; after how many tries, at least. */
  avoided(now: number, minTries = 1): string[] {
    return this.#blind.avoided(now, minTries);
  }
}

/** Longer than Ray takes to find that a node is frozen. */
const avoidMs = 120_000;
