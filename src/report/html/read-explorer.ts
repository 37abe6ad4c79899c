import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../contract/check.ts";
import type { Explorer } from "../../contract/generated/types.ts";

/**
 * Reads and removes the single expressions that Python left for the page.
 *
 * @returns undefined if there are none.
 * @throws CliprpnError contract_violation.
 */
export function takeExplorer(folder: string): Explorer | undefined {
  const file = join(folder, "explorer.json");
  if (!existsSync(file)) return undefined;
  const explorer = check("Explorer", JSON.parse(readFileSync(file, "utf8")), file);
  rmSync(file); // The page has all of it.
  return explorer;
}
