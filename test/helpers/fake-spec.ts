import { codeHashes } from "../../src/contract/code-identity.ts";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { presets } from "../../src/experiment/presets.ts";

/** A trial that ends as its label says: see test/python/faults/trial_faults.py. */
export function fakeSpec(label: string, index: number, cache_dir: string): TrialSpec {
  return {
    kind: "cliprpn",
    trial_id: index.toString(16).padStart(16, "0"),
    sources_sha256: codeHashes().cliprpn,
    label,
    preset: "default",
    seed: index,
    num_threads: 1,
    device: "cpu",
    dataset: { id: "none", name: "none", root: cache_dir, split_by: "umd" },
    backbone: { name: "cliprpn-tiny", weights: "shipped", weights_id: "none" },
    settings: presets.default,
    cache_dir,
  };
}
