import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { inWords, type Sizes } from "./sizes.ts";

export interface SpaceQuestion {
  cache: string;
  /** uv keeps the packages here and links to them from the same disk; on another one they lie twice. */
  uvCache: string;
  sizes: Sizes;
  /** uv has all packages already. */
  nothingToFetch: boolean;
}

/** Stops before the work when the packages cannot fit. @throws CliprpnError no_space, naming the folder and both figures. */
export async function checkSpace(question: SpaceQuestion): Promise<void> {
  const { cache, uvCache } = question;
  const [ours, uvs] = await Promise.all([nearest(cache), nearest(uvCache)]);
  for (const { folder, gb } of spaceNeeded(question, ours.device === uvs.device)) {
    const { free_gb } = folder === cache ? ours : uvs;
    if (free_gb >= gb) continue;
    const variable = folder === cache ? "CLIPRPN_CACHE" : "UV_CACHE_DIR";
    throw new CliprpnError(
      "no_space",
      `${folder}: the Python packages need about ${inWords(gb)}, ${inWords(free_gb)} are free; make room, or set ${variable} to a folder on another disk`,
    );
  }
}

/** Which folder needs how much. */
export function spaceNeeded(
  { cache, uvCache, sizes, nothingToFetch }: SpaceQuestion,
  sameDisk: boolean,
): { folder: string; gb: number }[] {
  const bytecode_gb = 0.05 * sizes.disk_gb;
  if (sameDisk) return [{ folder: cache, gb: nothingToFetch ? bytecode_gb : sizes.disk_gb }];
  const kept = { folder: cache, gb: sizes.disk_gb };
  return nothingToFetch ? [kept] : [kept, { folder: uvCache, gb: sizes.disk_gb }];
}

/** Free room in GB, and the device, of a folder or of the nearest one above it that exists. */
export async function nearest(
  folder: string,
): Promise<{ free_gb: number; device: number; existing: string }> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return { free_gb: (bavail * bsize) / 1e9, device: (await stat(folder)).dev, existing: folder };
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return nearest(dirname(folder));
  }
}
