import { diskOf } from "../../base/disk-space.ts";
import { formatBytes, joinWords } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { DiskEstimate, DiskPart } from "../../contract/generated/types.ts";

/** Free bytes of the disk of a folder, which disk it is, and the nearest folder on it that exists. */
export type FindDisk = (folder: string) => Promise<{ free_bytes: number; device: number; existing?: string }>;

/** The parts that take space, by the file systems on which they fall: cache, data and runs may lie on different ones. */
export async function diskEstimate(
  parts: readonly DiskPart[],
  findDisk: FindDisk = diskOf,
): Promise<DiskEstimate> {
  const written = parts.filter(({ num, bytes }) => num !== 0 && bytes !== 0);
  const systems = new Map<number, DiskEstimate["file_systems"][number]>();
  const disks = new Map<string, Awaited<ReturnType<FindDisk>>>();
  for (const { folder, bytes } of written) {
    const disk = disks.get(folder) ?? (await findDisk(folder));
    disks.set(folder, disk);
    const { free_bytes, device, existing = folder } = disk;
    const system = systems.get(device) ?? {
      folder: existing,
      needed_bytes: 0,
      free_bytes,
      is_complete: true,
    };
    systems.set(device, {
      ...system,
      needed_bytes: system.needed_bytes + (bytes ?? 0),
      is_complete: system.is_complete && bytes !== null,
    });
  }
  return { parts: written, file_systems: [...systems.values()] };
}

/** The first file system on which a sweep does not fit, as an error; undefined if it fits, as far as is known. */
export function spaceError({ file_systems, parts }: DiskEstimate, advice: string): CliprpnError | undefined {
  const full = file_systems.find(({ needed_bytes, free_bytes }) => needed_bytes > free_bytes);
  if (full === undefined) return undefined;
  const { folder, needed_bytes, free_bytes } = full;
  const largest = parts
    .toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
    .slice(0, 3)
    .map(({ part, bytes }) => `${part} ${formatBytes(bytes ?? 0)}`);
  return new CliprpnError(
    "no_space",
    `${folder}: expected ${formatBytes(needed_bytes)} of free disk space for this sweep (${joinWords(largest)}), found ${formatBytes(free_bytes)}; free some space, ${advice}`,
  );
}

/** What a person can do if the disk is too small. */
export function spaceAdvice(keepsLast: boolean): string {
  return `set CLIPRPN_CACHE or --runs-dir to another disk${keepsLast ? ", keep fewer models with --set keep_models=best" : ""}, or see what \`cliprpn gc\` would remove`;
}
