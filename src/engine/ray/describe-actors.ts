import { counted, joinWords } from "../../base/format.ts";
import type { RayAmounts, RayNode, RaySetup } from "../../contract/generated/types.ts";
import type { Actors } from "./actors.ts";

/** What people should know about the actors; undefined if all of them work. */
export function describeActors(actors: Actors, options: RaySetup["actor"]): string | undefined {
  const why = whyWaiting(actors, options);
  const waiting = actors.waiting().length;
  // While enough is free, Ray is about to place them.
  const numStarting = actors.starting().length + (why === undefined ? waiting : 0);
  const parts = [
    ...(waiting === 0 || why === undefined
      ? []
      : [`${counted(waiting, "worker")} waiting for the Ray cluster (${why})`]),
    ...(numStarting === 0 ? [] : [`${counted(numStarting, "worker")} starting`]),
    ...without(actors.nodes.blind(), "where the shared folder is missing"),
    ...without(actors.failingNodes(), "where workers ended at once"),
    ...without(actors.nodes.draining(), "which the cluster drains"),
  ];
  if (parts.length === 0) return actors.usable().length === 0 ? "asking Ray for workers" : undefined;
  return parts.join("; ");
}

/** Whether no node may run an actor, also none that is away, and none has one; false if no node has ever had what it needs. */
export function hasNoPlace(actors: Actors, options: RaySetup["actor"]): boolean {
  const barred = new Set(actors.givenUp());
  const places = actors.nodes.known().filter(({ total }) => fits(needs(options), total));
  return places.length > 0 && places.every(({ id }) => barred.has(id)) && !actors.hasPlaced();
}

/** Ids of nodes where no further actor is asked for: one that may be frozen is avoided if there is another one. */
export function nodesToAvoid(actors: Actors, options: RaySetup["actor"], now: number): string[] {
  const barred = actors.barred();
  const all = [...new Set([...barred, ...actors.nodes.silent(now)])];
  const others = actors.nodes.current.filter(
    ({ id, total, is_draining }) => !is_draining && !all.includes(id) && fits(needs(options), total),
  );
  return others.length > 0 ? all : barred;
}

/** Why the cluster has no place for another actor; undefined if it has one. */
function whyWaiting(actors: Actors, options: RaySetup["actor"]): string | undefined {
  const needed = needs(options);
  if (!actors.nodes.current.some(({ total }) => fits(needed, total)))
    return `no node has ${joinWords(Object.entries(needed).map(([name, amount]) => `${amount} ${name}`))}`;
  const barred = new Set(actors.barred());
  const isOut = ({ id, total, is_draining }: RayNode): boolean =>
    barred.has(id) || is_draining || !fits(needed, total);
  if (actors.nodes.current.every(isOut)) return "no node is left";
  if (fits(needed, actors.nodes.free)) return undefined;
  const free = Object.keys(needed).map((name) => {
    const total = actors.nodes.current.reduce((sum, node) => sum + (node.total[name] ?? 0), 0);
    return `${actors.nodes.free[name] ?? 0} of ${total} ${name} free`;
  });
  return free.join(", ");
}

/** By Ray's names of resources. */
export function needs({ num_cpus, num_gpus, resources }: RaySetup["actor"]): RayAmounts {
  return { CPU: num_cpus, ...(num_gpus === 0 ? {} : { GPU: num_gpus }), ...resources };
}

/** Whether a node has enough, when nothing else runs there. */
export function fits(needed: RayAmounts, total: RayAmounts): boolean {
  return Object.entries(needed).every(([name, amount]) => (total[name] ?? 0) >= (amount ?? 0));
}

function without(nodes: readonly string[], why: string): string[] {
  return nodes.length === 0 ? [] : [`without ${joinWords(nodes)}, ${why}`];
}
