import { codeHashes } from "../../src/contract/code-identity.ts";
import { type NodeCheck, schema_sha256 } from "../../src/contract/generated/types.ts";
import type { CheckedNode } from "../../src/sweep/machines/check-node.ts";

/** A node where everything works, as doctor checks it. @param label of its worker. */
export function checkedNode(
  label: string,
  facts: Partial<NodeCheck> = {},
  changes: Partial<CheckedNode> = {},
): CheckedNode {
  return {
    facts: {
      schema_version: 1,
      label,
      time_s: 1000,
      server_time_s: 1000,
      problems: [],
      roots: [],
      node_cache: null,
      worker: readyWorker(),
      error: null,
      ...facts,
    },
    roundTripsMs: [10, 30],
    numWon: 40,
    numRaces: 40,
    roots: [],
    clockAheadS: -2,
    ...changes,
  };
}

/** What a worker says when it is ready. */
export function readyWorker(device_name = "A100"): NonNullable<NodeCheck["worker"]> {
  return {
    type: "ready",
    pid: 1,
    host: "gpu7",
    schema_sha256,
    sources_sha256: codeHashes(),
    code_folder: "/share/cliprpn",
    environment: {
      python: "3.11.7",
      torch: "2.14.1",
      torchvision: "0.29.1",
      open_clip: "3.3.0",
      platform: "Linux",
      device: "cuda",
      device_name,
      num_threads: 1,
    },
  };
}
