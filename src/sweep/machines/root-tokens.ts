import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../../base/files.ts";
import type { FoundRoot, Roots } from "../../contract/generated/types.ts";

/** A folder of this machine, and what a node found at the place that `roots` say it has there. */
export interface CheckedRoot {
  here: string;
  there: string;
  state: "same" | "other" | "missing";
}

/** Tells whether a node sees the same folders: by a file in each, or by the names in it where no file may be created. */
export class RootTokens {
  readonly #roots: { here: string; there: string; file: string; isWritten: boolean }[];

  /** Creates the files. @param token their name, which no file has. */
  constructor(roots: Roots, token: string) {
    this.#roots = Object.entries(roots).map(([here, there = ""]) => {
      const file = join(here, token);
      return { here, there, file, isWritten: tryWrite(file) };
    });
  }

  /** @param found in the order of the roots. */
  compare(found: readonly FoundRoot[]): CheckedRoot[] {
    return this.#roots.map(({ here, there, isWritten }, index) => {
      const facts = found[index];
      if (facts === undefined || !facts.is_folder) return { here, there, state: "missing" };
      const isSame = isWritten ? facts.has_token : facts.names_sha256 === hashOfNames(here);
      return { here, there, state: isSame ? "same" : "other" };
    });
  }

  remove(): void {
    for (const { file, isWritten } of this.#roots) if (isWritten) rmSync(file, { force: true });
  }
}

/** A root may be read-only, or missing here. */
function tryWrite(file: string): boolean {
  try {
    writeFileSync(file, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/** As python/cliprpn/worker/node_check.py computes it. */
function hashOfNames(folder: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them
  const names = namesIn(folder).filter((name) => /^[\x00-\x7f]*$/.test(name));
  return createHash("sha256").update(names.sort().join("\n")).digest("hex");
}
