import { counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { RaySetup } from "../../contract/generated/types.ts";
import { needs } from "../../engine/ray/describe-actors.ts";
import { broken, type DoctorRow, ok } from "../../environment/doctor-row.ts";
import type { CheckedNode } from "./check-node.ts";
import type { CheckedRay, CheckedRayNode } from "./check-ray-nodes.ts";
import { nodeRows } from "./node-rows.ts";

/** What `cliprpn doctor --engine ray` says about a cluster: a row for each node, and more for one where something does not work. */
export function rayRows({ connected, actor, nodes }: CheckedRay): DoctorRow[] {
  const { ray, python } = connected;
  return [
    ok("Ray", `${ray} with Python ${python}: ${counted(nodes.length, "node")}`),
    ...placesRow(nodes, actor),
    ...nodes.flatMap((node) => rowsOf(node, actor)),
    ...processorsRow(nodes),
  ];
}

function rowsOf(node: CheckedRayNode, actor: RaySetup["actor"]): DoctorRow[] {
  const name = `node ${node.name}`;
  switch (node.state) {
    case "checked":
      return checkedRows(name, node.node);
    case "too_small":
      return [ok(name, `no trials run there: it has less than ${describeNeeds(actor)}`)];
    case "draining":
      return [ok(name, "no trials start there: the cluster drains it, and will take it away")];
    case "blind":
      return [
        broken(
          name,
          "does not see the runs folder",
          "mount it there under the same path, or use a folder that all nodes see (--runs-dir); sweeps run without this node",
        ),
      ];
    case "busy":
      return [
        broken(
          name,
          `nothing was free for ${describeNeeds(actor)}`,
          "run doctor again when others' work has ended",
        ),
      ];
    case "failed":
      return [
        broken(
          name,
          node.reason,
          "nodes need the Python of this machine under the same path (CLIPRPN_CACHE, or the home folder)",
        ),
      ];
  }
}

/** One row if all works. */
function checkedRows(name: string, node: CheckedNode): DoctorRow[] {
  const rows = nodeRows(node, "ray");
  const faults = rows.filter(({ state }) => state !== "ok");
  if (faults.length > 0)
    return faults.map((row) => ({
      ...row,
      name: row.name.startsWith("node ") ? row.name : `${name}, ${row.name}`,
    }));
  const founds = rows
    .filter((row) => !/, code$|folder$|^root /.test(row.name))
    .map(({ found }) => found.replace("the node's is", "its clock is"));
  return [ok(name, `${founds.join("; ")}; the shared folder works`)];
}

function placesRow(nodes: readonly CheckedRayNode[], actor: RaySetup["actor"]): DoctorRow[] {
  if (nodes.some(({ state }) => state !== "too_small" && state !== "draining")) return [];
  const draining = nodes.flatMap(({ name, state }) => (state === "draining" ? [name] : []));
  const others = draining.length === 0 ? "" : `, besides ${joinWords(draining)}, which the cluster drains`;
  return [
    broken(
      "nodes for trials",
      `no node has ${describeNeeds(actor)}${others}`,
      "change engine.ray (num_cpus, num_gpus, resources), or wait for nodes; --device cpu trains without a GPU",
    ),
  ];
}

/** Figures of a trial differ between processors, by less than a point. */
function processorsRow(nodes: readonly CheckedRayNode[]): DoctorRow[] {
  const facts = nodes.flatMap((each) =>
    each.state === "checked" && each.node.facts.worker !== null
      ? [{ name: each.name, processor: each.node.facts.worker.environment.device_name }]
      : [],
  );
  const kinds = groupBy(facts, ({ processor }) => processor);
  if (kinds.size < 2) return [];
  const described = [...kinds].map(
    ([processor, members]) => `${processor} (${joinWords(members.map(({ name }) => name))})`,
  );
  return [
    ok(
      "processors",
      `${counted(kinds.size, "kind")}, between which results differ slightly: ${described.join(", ")}`,
    ),
  ];
}

function describeNeeds(actor: RaySetup["actor"]): string {
  return joinWords(Object.entries(needs(actor)).map(([name, amount]) => `${amount} ${name}`));
}
