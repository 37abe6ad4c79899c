import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";

export interface Sizes {
  download_gb: number;
  disk_gb: number;
}

/** What the packages take to fetch and to keep, in GB; see `env/sizes.json` for where the figures come from. */
export function sizes(
  torchBackend: string | undefined,
  platform = `${process.platform}-${process.arch}`,
): Sizes {
  const known: { default: Sizes; platforms: Record<string, Sizes> } = JSON.parse(
    readFileSync(join(packageRoot, "env/sizes.json"), "utf8"),
  );
  return known.platforms[torchBackend === "cpu" ? "cpu" : platform] ?? known.default;
}
