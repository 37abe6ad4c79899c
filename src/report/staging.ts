import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { reportStaging } from "../base/replace-file.ts";

/** A folder in which a report is built: an error leaves the earlier report as it was. */
export interface Staging {
  folder: string;
  /** Where the files beside the report go, relative to the folder: `report/val`. */
  place: string;
}

/** Makes the folder for the files beside one report, such as `report/val`. */
export type OpenStaging = (place: string) => Promise<Staging>;

/**
 * Calls a function with an empty folder to build a report in, which is removed afterwards.
 *
 * @param folder of the sweep or comparison.
 * @param place where the files beside the report go, such as `report/val`.
 */
export function withStaging<T>(
  folder: string,
  place: string,
  build: (staging: Staging) => Promise<T>,
): Promise<T> {
  return withStagings(folder, async (open) => build(await open(place)));
}

/** The same for several reports. */
export async function withStagings<T>(folder: string, build: (open: OpenStaging) => Promise<T>): Promise<T> {
  await removeLeftovers(folder);
  const staging = await mkdtemp(join(folder, reportStaging));
  try {
    return await build(async (place) => {
      await mkdir(join(staging, place), { recursive: true });
      return { folder: staging, place };
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Removes what a killed process left. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(reportStaging));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
