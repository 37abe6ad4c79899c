import { realpathSync } from "node:fs";
import { join } from "node:path";
import { changesSinceStart, codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { HelloResult } from "../contract/generated/types.ts";
import { packageRoot } from "../package-root.ts";

/**
 * Refuses a worker whose code differs from the one that this process planned with: its results would be recorded under the
 * wrong code.
 *
 * @throws CliprpnError contract_violation.
 */
export function requireSameCode({ sources_sha256, code_folder }: HelloResult): void {
  const ours = codeHashes();
  if (sources_sha256.cliprpn === ours.cliprpn && sources_sha256.baseline === ours.baseline) return;
  const folder = join(packageRoot, "python/cliprpn");
  const isOurs = code_folder === folder || code_folder === realpathSync(folder);
  throw new CliprpnError(
    "contract_violation",
    isOurs
      ? `${folder}: expected the Python files that this command started with, found others (${shown(changesSinceStart())}); run the same command again`
      : `expected Python to run the files of this command in ${folder}, found different ones in ${code_folder}; reinstall cliprpn`,
  );
}

function shown(changes: string[]): string {
  if (changes.length === 0) return "they have changed back since";
  const first = changes.slice(0, 5).join(", ");
  return `changed: ${first}${changes.length > 5 ? ` and ${changes.length - 5} more` : ""}`;
}
