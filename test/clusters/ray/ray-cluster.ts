import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../../../src/package-root.ts";
import { RayNode } from "./ray-node.ts";

export interface NodeOptions {
  /** As Ray shows it; by default n1, n2, ... */
  name?: string;
  numCpus?: number;
  /** GPUs that Ray shares out; the machine need not have any. */
  numGpus?: number;
  /** A folder that the node does not see. Needs root. */
  hidden?: string;
  /** Where the node sees that folder instead: another folder, which exists. */
  shownAs?: string;
  /** Another interpreter with Ray. */
  python?: string;
}

/**
 * A cluster of Ray on this machine, with its own ports and folder: a head that runs no trials, and nodes. It belongs to this process:
 * whichever way that ends, the cluster's processes end, too.
 */
export class RayCluster {
  /** Of the head: host and port. */
  readonly address: string;
  readonly nodes: RayNode[] = [];
  /** Of its logs and sockets. */
  readonly folder: string;
  readonly #head: RayNode;
  readonly #python: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(head: RayNode, folder: string, python: string, env: NodeJS.ProcessEnv) {
    this.#head = head;
    this.folder = folder;
    this.#python = python;
    this.#env = env;
    this.address = /--address='([^']+)'/.exec(head.output())?.[1] ?? "";
  }

  /** @param python an interpreter that has Ray. */
  static async start(python: string, nodes: NodeOptions[]): Promise<RayCluster> {
    // Short: Ray's sockets lie in it, whose paths may have 107 characters.
    const folder = mkdtempSync(join(tmpdir(), "ray-"));
    const env = clusterEnv();
    try {
      const head = await RayNode.start({
        python,
        name: "head",
        args: [
          ...["--head", "--port=0", "--num-cpus=0", "--num-gpus=0", `--temp-dir=${folder}`],
          ...["--include-dashboard=false", "--disable-usage-stats"],
          `--ray-client-server-port=${await freePort()}`,
          ...nodeArgs,
        ],
        env,
        logFile: join(folder, "head.log"),
      });
      const cluster = new RayCluster(head, folder, python, env);
      try {
        await Promise.all(nodes.map((options) => cluster.addNode(options)));
        return cluster;
      } catch (error) {
        await cluster.close();
        throw error;
      }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      throw error;
    }
  }

  /** Adds a node and waits until Ray runs on it. */
  async addNode(options: NodeOptions = {}): Promise<RayNode> {
    const { numCpus = 1, numGpus = 0, hidden, shownAs, python = this.#python } = options;
    const name = options.name ?? `n${++this.#numAdded}`;
    const node = await RayNode.start({
      python,
      name,
      args: [`--address=${this.address}`, `--num-cpus=${numCpus}`, `--num-gpus=${numGpus}`, ...nodeArgs],
      env: this.#env,
      logFile: join(this.folder, `${name}.log`),
      hidden,
      shownAs,
    });
    this.nodes.push(node);
    return node;
  }

  /** Drains a node, as an autoscaler does before it takes the node away. */
  async drain({ name }: RayNode): Promise<void> {
    const script = join(packageRoot, "test/clusters/ray/drain.py");
    await execa(this.#python, [script, this.address, name], { env: this.#env, extendEnv: false });
  }

  #numAdded = 0;

  /** The processes of all nodes and the head. */
  pids(): number[] {
    return [this.#head, ...this.nodes].flatMap((node) => node.pids());
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes, this.#head].map((node) => node.close()));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Several nodes share this machine: their workers' ports are any free ones, and their object stores small. */
const nodeArgs = [
  "--node-ip-address=127.0.0.1",
  "--min-worker-port=0",
  "--max-worker-port=0",
  "--object-store-memory=100000000",
];

/** The environment of a cluster that belongs to somebody else: nothing of the tests is in it. */
function clusterEnv(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("RAY_") && !name.startsWith("PYTHON") && !name.startsWith("CLIPRPN_"),
  );
  // Otherwise colors surround the words of `ray start`.
  return { ...Object.fromEntries(others), NO_COLOR: "1", RAY_USAGE_STATS_ENABLED: "0" };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("expected a port of this machine");
  return address.port;
}
