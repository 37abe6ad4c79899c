import { raySite } from "./ray-site.ts";
import type { Site } from "./site.ts";
import { slurmSite } from "./slurm-site.ts";

export type EngineOfSite = "slurm" | "ray";

/** One row an engine. */
export const sites: Record<EngineOfSite, (folder: string) => Promise<Site>> = {
  slurm: slurmSite,
  ray: raySite,
};

/** experiments/fusion.json with less data and fewer epochs, which takes a minute or two. */
export const smallFusion = {
  name: "fusion",
  question: "Which fusion grounds best?",
  dataset: { name: "demo", size: "small" },
  settings: { neck_channels: 64, training: { num_epochs: 6 } },
  vary: { fusion: ["cross_attention", "token_attention", "film", "concatenation"] },
  seeds: [0, 1],
  baseline: "cross_attention",
  num_threads: 1,
};
