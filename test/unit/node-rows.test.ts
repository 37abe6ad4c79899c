import { expect, test } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { NodeCheck } from "../../src/contract/generated/types.ts";
import type { CheckedNode } from "../../src/sweep/machines/check-node.ts";
import { nodeRows } from "../../src/sweep/machines/node-rows.ts";
import { checkedNode, readyWorker } from "../helpers/checked-node.ts";

function rowsOf(changes: Partial<NodeCheck> = {}, others: Partial<CheckedNode> = {}): string[] {
  const node = checkedNode("slurm:5_0.0@n7", changes, others);
  return nodeRows(node, "slurm").map(
    ({ name, state, found, how_to_fix }) => `${state} ${name}: ${found} ${how_to_fix}`,
  );
}

test("a node that works", () => {
  expect(rowsOf()).toEqual([
    expect.stringMatching(/^ok node n7: Python 3\.11\.7, torch 2\.14\.1, cuda \(A100\)/),
    expect.stringMatching(/^ok node n7, code: \/share\/cliprpn/),
    expect.stringMatching(/^ok shared folder: .*40 races/),
    expect.stringMatching(/^ok shared delay: .*0\.03 s/),
    expect.stringMatching(/^ok shared clock: .*2\.00 s behind/),
  ]);
});

test("a folder for copies of features has its free space", () => {
  const node_cache = { folder: "/scratch/me", problem: null, free_bytes: 5e9 };
  expect(rowsOf({ node_cache })).toContainEqual(
    expect.stringMatching(/^ok node n7, features: \/scratch\/me can be written, with 5\.00? GB free/),
  );
});

test.each<[what: string, changes: Partial<NodeCheck>, others: Partial<CheckedNode>, row: RegExp]>([
  [
    "no GPU",
    { worker: null, error: { code: "device_unavailable", message: "no CUDA" } },
    {},
    /^broken node n7: no CUDA change engine\.slurm/,
  ],
  [
    "other code",
    { worker: { ...readyWorker(), sources_sha256: { ...codeHashes(), cliprpn: "0".repeat(64) } } },
    {},
    /^broken node n7, code: other files .*same version/,
  ],
  ["no locks", { problems: ["flock"] }, {}, /^broken shared folder: flock .*CLIPRPN_CACHE/],
  ["no links", { problems: ["link", "flock"] }, {}, /^broken shared folder: link, flock .*--runs-dir/],
  [
    "a cache that cannot be written",
    { node_cache: { folder: "/scratch", problem: "Permission denied", free_bytes: null } },
    {},
    /^broken node n7, features: \/scratch: Permission denied .*node_cache_dir/,
  ],
  ["two winners", {}, { numWon: 38 }, /^broken shared folder: 2 of 40 renames .*--runs-dir/],
  [
    "slow to show files",
    {},
    { roundTripsMs: [100, 40_000] },
    /^broken shared delay: .*40\.00 s.*--lease-seconds 160/,
  ],
])("%s is told with what to do", (_, changes, others, row) => {
  expect(rowsOf(changes, others).filter((each) => each.startsWith("broken"))).toEqual([
    expect.stringMatching(row),
  ]);
});
