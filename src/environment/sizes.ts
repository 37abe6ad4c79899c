import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../base/package-root.ts";
import type { ExtraName } from "./extra-packages.ts";

export interface Sizes {
  download_gb: number;
  disk_gb: number;
}

/** What the packages take to fetch and to keep, in GB; see `env/sizes.json` for where the figures come from. */
export function sizes(
  torchBackend: string | undefined,
  platform = `${process.platform}-${process.arch}`,
): Sizes {
  const { platforms, default: elsewhere } = known();
  return platforms[torchBackend === "cpu" ? "cpu" : platform] ?? elsewhere;
}

/** What an extra takes beside them. */
export function extraSizes(extra: ExtraName): Sizes {
  return known().extras[extra];
}

/** `3.2 GB`, `164 MB`. */
export function inWords(gb: number): string {
  return gb < 1 ? `${Math.round(gb * 1000)} MB` : `${gb.toFixed(1)} GB`;
}

function known(): {
  default: Sizes;
  platforms: Record<string, Sizes>;
  extras: Record<ExtraName, Sizes>;
} {
  return JSON.parse(readFileSync(join(packageRoot, "env/sizes.json"), "utf8"));
}
