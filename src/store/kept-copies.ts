import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, parse } from "node:path";
import { namesIn } from "../base/files.ts";
import { replaceFile } from "../base/replace-file.ts";
import { readText } from "./files.ts";

/** Copies a damaged file beside itself, before it is written again. @returns the copy. */
export function keepDamaged(file: string): string {
  const content = readFileSync(file);
  const { dir, name, ext } = parse(file);
  const copy = join(
    dir,
    `${name}-damaged-${createHash("sha256").update(content).digest("hex").slice(0, 8)}${ext}`,
  );
  if (!existsSync(copy)) replaceFile(copy, content);
  return copy;
}

/** Keeps the text of a file that is about to be replaced, beside it under the next number. */
export function keepVersion(file: string, text: string): void {
  const { dir, name, ext } = parse(file);
  const copy = (number: number): string => join(dir, `${name}-${number}${ext}`);
  const pattern = new RegExp(`^${name}-(\\d+)\\${ext}$`);
  const last = Math.max(0, ...namesIn(dir).map((each) => Number(pattern.exec(each)?.[1] ?? 0)));
  // A process that was killed before it replaced the file has kept this version already.
  if (readText(copy(last)) !== text) replaceFile(copy(last + 1), text);
}
