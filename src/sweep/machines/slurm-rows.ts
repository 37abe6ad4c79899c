import { counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { ListedNode } from "../../engine/slurm/sinfo.ts";
import { broken, type DoctorRow, ok } from "../../environment/doctor-row.ts";

/** What `cliprpn doctor --engine slurm` says about the nodes of the jobs' partition; nothing if SLURM shows none of them. */
export function partitionRows(nodes: readonly ListedNode[]): DoctorRow[] {
  const [first] = nodes;
  if (first === undefined) return [];
  const out = nodes.filter(({ takesJobs }) => !takesJobs);
  const name = `partition ${joinWords([...new Set(nodes.map(({ partition }) => partition))])}`;
  const total = counted(nodes.length, "node");
  if (out.length === 0) return [ok(name, `${total}, each of which takes jobs`)];
  if (out.length < nodes.length)
    return [ok(name, `${total}, of which ${out.length} take no jobs: ${describe(out)}`)];
  return [
    broken(
      name,
      `no node takes jobs: ${describe(out)}`,
      "choose another partition (engine.slurm), or ask whoever runs the cluster; jobs would wait until then",
    ),
  ];
}

/** Nodes with the same state and reason together. */
function describe(nodes: readonly ListedNode[]): string {
  const groups = groupBy(nodes, ({ state, reason }) => `${state}${reason === "" ? "" : ` (${reason})`}`);
  return [...groups].map(([why, members]) => `${namesOf(members)} ${why}`).join("; ");
}

function namesOf(nodes: readonly ListedNode[]): string {
  const names = nodes.map(({ name }) => name);
  return names.length <= maxNames
    ? joinWords(names)
    : joinWords([...names.slice(0, maxNames), counted(names.length - maxNames, "other")]);
}

const maxNames = 8;
