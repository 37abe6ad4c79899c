import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "../../base/format.ts";
import { lastLines } from "../../base/output-tail.ts";
import type {
  RayConnected,
  RayEnded,
  RayMessage,
  RayNode,
  RayPlaced,
  RaySetup,
} from "../../contract/generated/types.ts";
import { fits, needs } from "../../engine/ray/describe-actors.ts";
import { RayDriver, reachS } from "../../engine/ray/ray-driver.ts";
import type { RunContext } from "../run-context.ts";
import { answerIn, type CheckedNode, nodeSide, rootTokens, testFolder } from "./check-node.ts";
import { actorOptions, rayAddress, rayDevice, rayPython } from "./ray-place.ts";
import type { RootTokens } from "./root-tokens.ts";
import { pathThere } from "./roots.ts";

/** A Ray cluster and each of its nodes. */
export interface CheckedRay {
  connected: RayConnected;
  /** What a trial needs of its node. */
  actor: RaySetup["actor"];
  nodes: CheckedRayNode[];
}

export type CheckedRayNode = { name: string } & (
  | { state: "checked"; node: CheckedNode }
  /** It has less than a trial needs, as a head without CPUs. */
  | { state: "too_small" }
  /** The cluster is about to take it away. */
  | { state: "draining" }
  /** It does not see the runs folder. */
  | { state: "blind" }
  | { state: "busy" }
  | { state: "failed"; reason: string }
);

/**
 * Runs the node check as an actor of each node, as a sweep would run its workers, and tests the runs folder with it.
 *
 * @throws CliprpnError environment_broken without a cluster, or if the driver ends; the signal's reason.
 */
export async function checkRayNodes(run: RunContext): Promise<CheckedRay> {
  mkdirSync(run.runsDir, { recursive: true });
  const folder = mkdtempSync(join(run.runsDir, ".doctor-"));
  try {
    return await checkIn(folder, run);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function checkIn(folder: string, run: RunContext): Promise<CheckedRay> {
  const probe = randomBytes(16).toString("hex");
  const probe_file = join(folder, "probe");
  writeFileSync(probe_file, probe);
  const { command, env } = await nodeSide(run, folder, {
    device: rayDevice(run),
    nodeCache: run.ray?.node_cache_dir,
  });
  const actor = actorOptions([], run);
  const worker = {
    command: [...command, "--by-id"],
    env,
    log_folder: pathThere(folder, run.roots),
    probe_file: pathThere(probe_file, run.roots),
    probe,
  };
  const cluster: Cluster = { placed: new Map(), ended: new Map(), lost: undefined };
  const driver = new RayDriver({
    ...(await rayPython(run)),
    setup: { address: rayAddress(run), connect_s: reachS, actor, worker },
    onMessage: (message) => note(cluster, message),
    onLost: (error) => {
      cluster.lost = error;
    },
  });
  const tokens = rootTokens(run, folder);
  try {
    const connected = await driver.connected();
    const { nodes } = connected;
    const checks = nodes.map((node, number): Check => {
      const id = `${probe.slice(0, 8)}.${number}`;
      return { id, node, folder: join(folder, id), others: nodes.filter((other) => other !== node) };
    });
    const pending = [...checks];
    const results = new Map<string, CheckedRayNode>();
    const takeNext = async (): Promise<void> => {
      for (let check = pending.shift(); check !== undefined; check = pending.shift()) {
        run.terminal.live([`checking ${counted(nodes.length, "node")} of Ray: ${results.size} done`]);
        const unused = whyUnused(check.node, actor);
        results.set(
          check.id,
          unused === undefined
            ? await checkNode(check, cluster, driver, tokens, run.signal)
            : { name: check.node.name, state: unused },
        );
      }
    };
    await Promise.all(Array.from({ length: maxAtOnce }, takeNext));
    run.terminal.liveDone();
    return { connected, actor, nodes: checks.flatMap(({ id }) => results.get(id) ?? []) };
  } finally {
    tokens.remove();
    await driver.close();
  }
}

/** Why nothing would start on a node; undefined if something would. */
function whyUnused(
  { total, is_draining }: RayNode,
  actor: RaySetup["actor"],
): "draining" | "too_small" | undefined {
  if (is_draining) return "draining";
  return fits(needs(actor), total) ? undefined : "too_small";
}

/** Each keeps this process busy for a moment. */
const maxAtOnce = 8;

/** What the driver has told, by the ids of actors. */
interface Cluster {
  placed: Map<string, RayPlaced>;
  ended: Map<string, RayEnded>;
  lost: Error | undefined;
}

function note(cluster: Cluster, message: RayMessage): void {
  if (message.type === "placed") cluster.placed.set(message.id, message);
  if (message.type === "ended") cluster.ended.set(message.id, message);
}

/** The check of one node. */
interface Check {
  /** Of its actor. */
  id: string;
  node: RayNode;
  /** For its answers. */
  folder: string;
  others: RayNode[];
}

async function checkNode(
  { id, node: { name }, folder, others }: Check,
  cluster: Cluster,
  driver: RayDriver,
  tokens: RootTokens,
  signal: AbortSignal,
): Promise<CheckedRayNode> {
  mkdirSync(folder);
  driver.send({ type: "start", ids: [id], without_nodes: others.map((other) => other.id) });
  const asked = performance.now();
  for (let facts = answerIn(folder); ; facts = answerIn(folder)) {
    if (facts !== undefined) {
      const node = await testFolder(folder, facts, tokens, signal);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 }); // Ends the node's side.
      return { name, state: "checked", node };
    }
    if (cluster.lost !== undefined) throw cluster.lost;
    if (cluster.placed.get(id)?.is_shared === false) return { name, state: "blind" };
    const ended = cluster.ended.get(id);
    if (ended !== undefined) {
      await sleep(visibleMs, undefined, { signal });
      if (answerIn(folder) === undefined)
        return { name, state: "failed", reason: reasonOf(ended, `${folder}.log`) };
    } else if (!cluster.placed.has(id) && performance.now() - asked > busyMs) {
      driver.send({ type: "end", id });
      return { name, state: "busy" };
    }
    await sleep(50, undefined, { signal });
  }
}

/** A share may show a file so much later. */
const visibleMs = 5000;

/** Ray starts an actor in a few seconds, if its node has something free. */
const busyMs = 60_000;

function reasonOf({ reason }: RayEnded, logFile: string): string {
  const printed = existsSync(logFile) ? lastLines(readFileSync(logFile, "utf8")) : "";
  return [reason, printed].filter((text) => text !== "").join(": ") || "it printed nothing";
}
