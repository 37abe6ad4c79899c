import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/** The word that goes back to the lock's own torch. */
const lockedTorch = "lock";

/**
 * Which torch builds a person wants: what is asked for now, uv's own setting, or what `cliprpn setup --torch-backend` chose.
 *
 * @returns undefined for the lock's own builds.
 */
export function chosenTorch(
  asked: string | undefined,
  cache: string,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const choice = asked || env.UV_TORCH_BACKEND || remembered(cache);
  return choice === lockedTorch ? undefined : choice;
}

/** Keeps a choice for later commands. */
export async function rememberTorch(choice: string, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  if (choice === lockedTorch) await rm(choiceFile(cache), { force: true });
  else await writeFileAtomic(choiceFile(cache), choice);
}

function remembered(cache: string): string | undefined {
  const file = choiceFile(cache);
  return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
}

function choiceFile(cache: string): string {
  return join(cache, "torch-backend");
}
