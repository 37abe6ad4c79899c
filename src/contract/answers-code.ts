import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";

let current: string | undefined;

/** Hash of the code that converts files of answers into predictions, as it was when this process first asked. */
export function answersCode(): string {
  current ??= hashOfCode();
  return current;
}

function hashOfCode(): string {
  const folder = join(packageRoot, "python/cliprpn");
  const names = readdirSync(join(folder, "answers"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .map((name) => `answers/${name}`);
  const hash = createHash("sha256");
  for (const name of [...names, "boxes.py", "metrics.py", "data/predictions.py"].sort())
    hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}
