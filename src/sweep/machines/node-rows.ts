import { counted, formatBytes } from "../../base/format.ts";
import { codeHashes } from "../../contract/code-identity.ts";
import type { NodeCheck } from "../../contract/generated/types.ts";
import { broken, type DoctorRow, ok } from "../../environment/doctor-row.ts";
import type { CheckedNode } from "./check-node.ts";
import type { CheckedRoot } from "./root-tokens.ts";

/** What `cliprpn doctor` says about a node of a cluster. */
export function nodeRows(
  { facts, roundTripsMs, numWon, numRaces, roots, clockAheadS }: CheckedNode,
  engine: "slurm" | "ray",
): DoctorRow[] {
  // The label is ENGINE:ID@NODE.
  const name = `node ${facts.label.slice(facts.label.indexOf("@") + 1)}`.trim();
  return [
    workerRow(name, facts, engine),
    ...(facts.worker === null ? [] : [codeRow(name, facts.worker)]),
    ...roots.map((root) => rootRow(root, engine)),
    ...(facts.node_cache === null ? [] : [nodeCacheRow(name, facts.node_cache, engine)]),
    operationsRow(facts, numWon, numRaces),
    delayRow(roundTripsMs),
    // Workers and this machine compare no clocks; people compare times in logs.
    ok(
      "shared clock",
      `the node's is ${Math.abs(clockAheadS).toFixed(2)} s ${clockAheadS < 0 ? "behind" : "ahead"}`,
    ),
  ];
}

function workerRow(name: string, { worker, error }: NodeCheck, engine: "slurm" | "ray"): DoctorRow {
  if (worker === null)
    return broken(
      name,
      error?.message ?? "no worker starts",
      `change ${optionsOf[engine]}; --device cpu trains without a GPU`,
    );
  const { python, torch, device, device_name } = worker.environment;
  return ok(name, `Python ${python}, torch ${torch}, ${device} (${device_name})`);
}

/** What decides about the node and its device. */
const optionsOf = {
  slurm: "engine.slurm (gpus_per_node, constraint, partition), or its `setup` lines",
  ray: "engine.ray (num_gpus, resources, label_selector)",
};

function codeRow(name: string, worker: NonNullable<NodeCheck["worker"]>): DoctorRow {
  const ours = codeHashes();
  const isSame =
    worker.sources_sha256.cliprpn === ours.cliprpn && worker.sources_sha256.baseline === ours.baseline;
  return isSame
    ? ok(`${name}, code`, worker.code_folder)
    : broken(
        `${name}, code`,
        `other files in ${worker.code_folder}`,
        "install the same version of cliprpn there",
      );
}

function nodeCacheRow(
  node: string,
  { folder, problem, free_bytes }: NonNullable<NodeCheck["node_cache"]>,
  engine: "slurm" | "ray",
): DoctorRow {
  const name = `${node}, features`;
  return problem === null
    ? ok(name, `${folder} can be written, with ${formatBytes(free_bytes ?? 0)} free`)
    : broken(
        name,
        `${folder}: ${problem}`,
        `change node_cache_dir of engine.${engine}; until then, features are read from the share`,
      );
}

function rootRow({ here, there, state }: CheckedRoot, engine: "slurm" | "ray"): DoctorRow {
  const name = `root ${here}`;
  if (state === "same") return ok(name, `${there} on the node is the same folder`);
  const found = state === "missing" ? "found no such folder" : "found another folder";
  return broken(
    name,
    `${there} on the node: expected the same folder, ${found}`,
    `correct ${engine}.roots in engines/lab.json, or mount the folder there`,
  );
}

function operationsRow({ problems }: NodeCheck, numWon: number, numRaces: number): DoctorRow {
  const names = [
    ...problems,
    ...(numWon < numRaces
      ? [`${numRaces - numWon} of ${numRaces} renames went to both sides, or to none`]
      : []),
  ];
  if (names.length === 0)
    return ok(
      "shared folder",
      `exclusive creation, link, rename and flock work; ${counted(numRaces, "race")} with one winner each`,
    );
  const advice =
    problems.length === 1 && problems[0] === "flock"
      ? "set CLIPRPN_CACHE to a disk of the node, or to a share with locks"
      : "use a folder on another share: --runs-dir";
  return broken("shared folder", names.join(", "), advice);
}

/** A heartbeat that is seen late looks like none: half of the default lease is left for that. */
function delayRow(roundTripsMs: readonly number[]): DoctorRow {
  const worst = Math.max(...roundTripsMs);
  const found = `a file is seen, and its answer, after ${(worst / 1000).toFixed(2)} s at most`;
  return worst < 30_000
    ? ok("shared delay", found)
    : broken("shared delay", found, `sweep with --lease-seconds ${Math.ceil((4 * worst) / 1000)}`);
}
