/** The cluster of Ray that tests use: what Ray says about it, and that nothing of it outlives its owner. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { isRunning, until } from "../helpers/processes.ts";
import { cluster } from "./ray/cluster.ts";
import { missingRay, rayPython } from "./ray/ray-python.ts";

if (missingRay !== undefined) process.stdout.write(`Skipped: tests on Ray: ${missingRay}\n`);

describe.skipIf(missingRay !== undefined)("a cluster of Ray", () => {
  const ray = cluster([{ numGpus: 2 }]);

  test("has the nodes and GPUs that were asked for; nodes come and go", async () => {
    expect(nodesOf(ray().address)).toEqual({ head: {}, n1: { CPU: 1, GPU: 2 } });
    const added = await ray().addNode();
    expect(nodesOf(ray().address)).toEqual({ head: {}, n1: { CPU: 1, GPU: 2 }, n2: { CPU: 1 } });
    const pids = added.pids();
    await added.remove();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(nodesOf(ray().address)).toEqual({ head: {}, n1: { CPU: 1, GPU: 2 } });
  });

  test("all of a frozen node stands still, and a frozen node can be ended", async () => {
    const node = await ray().addNode();
    node.freeze();
    const pids = node.pids();
    expect(new Set(pids.map(stateOf))).toEqual(new Set(["T"]));
    await node.kill();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  test("none of its processes outlives an owner that is killed", async () => {
    const owner = spawn(
      process.execPath,
      ["--import", "tsx", join(packageRoot, "test/clusters/ray/own-and-wait.ts"), rayPython],
      { cwd: packageRoot, stdio: ["ignore", "pipe", "inherit"] },
    );
    onTestFinished(() => void owner.kill("SIGKILL"));
    const [line] = await once(createInterface({ input: owner.stdout }), "line");
    const { folder, pids }: { folder: string; pids: number[] } = JSON.parse(line);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    expect(pids.filter(isRunning)).toEqual(pids);
    owner.kill("SIGKILL");
    await until(() => !pids.some(isRunning));
  });
});

/** The resources of each node that is alive, by its name; those that Ray adds by itself are left out. */
function nodesOf(address: string): Record<string, Record<string, number>> {
  const script = `
import json, sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
nodes = {each["NodeName"]: each["Resources"] for each in ray.nodes() if each["Alive"]}
print(json.dumps(nodes))
`;
  const output = execFileSync(rayPython, ["-c", script, address], { encoding: "utf8" });
  const nodes: Record<string, Record<string, number>> = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  const kept = (resources: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(resources).filter(([name]) => name === "CPU" || name === "GPU"));
  return Object.fromEntries(Object.entries(nodes).map(([name, resources]) => [name, kept(resources)]));
}

function stateOf(pid: number): string | undefined {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
}
