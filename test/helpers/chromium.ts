import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** How to make the browser tests run. */
export const howToGetChromium =
  "expected Chromium: chromium, chromium-browser or google-chrome on PATH, or its file in CHROMIUM_PATH; found none. On Debian: apt-get install chromium";

/** The file of an installed Chromium. @throws if CHROMIUM_PATH is no file. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const file = env.CHROMIUM_PATH;
  if (file !== undefined && file !== "") {
    if (!existsSync(file))
      throw new Error(`CHROMIUM_PATH: expected the file of Chromium, found no file ${file}`);
    return file;
  }
  const folders = (env.PATH ?? "").split(delimiter);
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find(isExecutable);
}

const names = ["chromium", "chromium-browser", "google-chrome"];

export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
