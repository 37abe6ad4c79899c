/** What doctor says about the nodes of SLURM that take no jobs. */
import { expect, test } from "vitest";
import { Slurm } from "../../src/engine/slurm/slurm.ts";
import { partitionRows } from "../../src/sweep/machines/slurm-rows.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";

async function rowsOf(
  lines: string[],
  partition?: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ rows: string[]; asked: string[] }> {
  const stub = new StubSlurm();
  stub.setNodes(...lines);
  const nodes = await new Slurm("doctor", { ...stub.env, ...env }).nodes(partition);
  const rows = partitionRows(nodes).map(
    ({ state, name, found, how_to_fix }) => `${state} ${name}: ${found} ${how_to_fix}`,
  );
  return { rows, asked: stub.asked() };
}

test("nodes that are drained or down are named, with the reason that SLURM has", async () => {
  const { rows } = await rowsOf([
    "n1|gpu*|idle|none",
    "n2|gpu*|drained|bad disk | see ticket 7",
    "n3|gpu*|draining|bad disk | see ticket 7",
    "n4|gpu*|down*|Not responding",
    "n5|gpu*|mixed|none",
    "n6|gpu*|drained|bad disk | see ticket 7",
    "n7|gpu*|idle~|none",
    "n8|gpu*|idle*|none",
    "n9|cpu|drained|old",
  ]);
  expect(rows).toEqual([
    "ok partition gpu: 8 nodes, of which 5 take no jobs: n2 and n6 drained (bad disk | see ticket 7); n3 draining (bad disk | see ticket 7); n4 down, without an answer (Not responding); n8 idle, without an answer ",
  ]);
});

test("a partition without a node for jobs is broken, before a job waits for it", async () => {
  const { rows, asked } = await rowsOf(["n1|low|drained|maintenance", "n2|low|draining|maintenance"], "low");
  expect(rows).toEqual([
    expect.stringMatching(
      /^broken partition low: no node takes jobs: n1 drained \(maintenance\); n2 draining \(maintenance\) .*partition/,
    ),
  ]);
  expect(asked).toEqual([expect.stringContaining("--partition=low")]);
});

test("a partition whose nodes all take jobs has one line", async () => {
  const { rows, asked } = await rowsOf(
    ["n1|a|idle|none", "n2|b*|allocated+|none", "n2|a|allocated+|none"],
    "a,b",
  );
  expect(rows).toEqual([expect.stringMatching(/^ok partition a: 2 nodes, each/)]);
  expect(asked).toEqual([expect.stringContaining("--partition=a,b")]);
});

test("of many nodes with the same reason, some are named", async () => {
  const lines = Array.from({ length: 30 }, (_, number) => `n${number}|gpu*|drained|move`);
  const { rows } = await rowsOf([...lines, "x|gpu*|idle|none"]);
  expect(rows[0]).toMatch(/n0, n1, .*, n7 and 22 others drained \(move\)/);
});

test("the partition of the environment is asked for, as sbatch does", async () => {
  const { asked } = await rowsOf(["n1|debug|idle|none"], undefined, { SBATCH_PARTITION: "debug" });
  expect(asked).toEqual([expect.stringContaining("--partition=debug")]);
});

test("a person's defaults for sinfo do not decide which nodes are shown", async () => {
  const { rows } = await rowsOf(["n1|gpu*|idle|none"], undefined, { SINFO_PARTITION: "mine" });
  expect(rows).toHaveLength(1);
});

test("where SLURM shows no nodes, doctor says nothing about them", async () => {
  expect((await rowsOf([])).rows).toEqual([]);
});
