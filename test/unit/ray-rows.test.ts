import { expect, test } from "vitest";
import type { CheckedNode } from "../../src/sweep/machines/check-node.ts";
import type { CheckedRayNode } from "../../src/sweep/machines/check-ray-nodes.ts";
import { rayRows } from "../../src/sweep/machines/ray-rows.ts";
import { checkedNode, readyWorker } from "../helpers/checked-node.ts";

function checked(name: string, processor: string, changes: Partial<CheckedNode> = {}): CheckedRayNode {
  const facts = { worker: readyWorker(processor) };
  return { name, state: "checked", node: checkedNode(`ray:ab12.0@${name}`, facts, changes) };
}

function rowsOf(...nodes: CheckedRayNode[]): string[] {
  const connected = { type: "connected" as const, ray: "2.60.0", python: "3.12.1", nodes: [], free: {} };
  const actor = { num_cpus: 2, num_gpus: 1, resources: {}, label_selector: {} };
  return rayRows({ connected, actor, nodes }).map(
    ({ state, name, found, how_to_fix }) => `${state} ${name}: ${found} ${how_to_fix}`,
  );
}

test("a node that works has one row; others say what is wrong with which node", () => {
  expect(
    rowsOf(
      { name: "head", state: "too_small" },
      checked("n1", "A100"),
      { name: "n2", state: "blind" },
      checked("n3", "A100", { numWon: 38 }),
      { name: "n4", state: "busy" },
      { name: "n5", state: "failed", reason: "/share/python: No such file" },
      { name: "n6", state: "draining" },
    ),
  ).toEqual([
    expect.stringMatching(/^ok Ray: 2\.60\.0 with Python 3\.12\.1: 7 nodes/),
    expect.stringMatching(/^ok node head: no trials run there.*2 CPU and 1 GPU/),
    expect.stringMatching(/^ok node n1: Python 3\.11\.7.*A100.*0\.03 s.*clock is 2\.00 s behind/),
    expect.stringMatching(/^broken node n2: does not see the runs folder .*--runs-dir/),
    expect.stringMatching(/^broken node n3, shared folder: 2 of 40 renames/),
    expect.stringMatching(/^broken node n4: nothing was free for 2 CPU and 1 GPU/),
    expect.stringMatching(/^broken node n5: \/share\/python: No such file .*same path/),
    expect.stringMatching(/^ok node n6: no trials start there.*drains/),
  ]);
});

test("a cluster without a place for trials is broken", () => {
  expect(rowsOf({ name: "head", state: "too_small" })).toContainEqual(
    expect.stringMatching(/^broken nodes for trials: no node has 2 CPU and 1 GPU .*--device cpu/),
  );
});

test("a cluster that drains its last place for trials is broken", () => {
  expect(rowsOf({ name: "head", state: "too_small" }, { name: "n1", state: "draining" })).toContainEqual(
    expect.stringMatching(/^broken nodes for trials: no node has .*n1, which the cluster drains/),
  );
});

test("different processors are told", () => {
  expect(rowsOf(checked("n1", "A100"), checked("n2", "H100"), checked("n3", "A100"))).toContainEqual(
    expect.stringMatching(/^ok processors: 2 kinds.*A100 \(n1 and n3\), H100 \(n2\)/),
  );
});
