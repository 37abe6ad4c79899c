import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";

/**
 * SHA-256 of the detections in a folder, one .json or .txt file per image: of the lines `<hash>  <name>` of its files, sorted by
 * name as bytes. Python computes the same before it reads them. Undefined if there is no such file.
 */
export function hashResultsFolder(folder: string, hashFile: (file: string) => string): string | undefined {
  const names = readdirSync(folder)
    .filter((name) => [".json", ".txt"].includes(extname(name).toLowerCase()))
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (names.length === 0) return undefined;
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${hashFile(join(folder, name))}  ${name}\n`);
  return hash.digest("hex");
}
