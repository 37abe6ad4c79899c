import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import type { CacheFolders } from "./cache-folders.ts";

/** The value that selects the torch builds in the lock file. */
const lockedTorch = "lock";

/**
 * Which torch builds to install: those requested now, those of uv's own variable, or those that an earlier
 * `cliprpn setup --torch-backend` chose.
 *
 * @returns undefined for the builds in the lock file.
 */
export function chosenTorch(
  requested: string | undefined,
  { own, shared }: Pick<CacheFolders, "own" | "shared">,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const choice =
    requested || env.UV_TORCH_BACKEND || (rememberedTorch(own) ?? (shared && rememberedTorch(shared)));
  return choice === lockedTorch ? undefined : choice;
}

/** Saves a choice for later commands. */
export async function rememberTorch(choice: string, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  if (choice === lockedTorch) await rm(choiceFile(cache), { force: true });
  else replaceFile(choiceFile(cache), choice);
}

function rememberedTorch(cache: string): string | undefined {
  const file = choiceFile(cache);
  return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
}

function choiceFile(cache: string): string {
  return join(cache, "torch-backend");
}

/** True if this machine seems to have an NVIDIA GPU; starts no process. */
export function hasNvidiaGpu(): boolean {
  return driverFiles.some((path) => existsSync(path));
}

/** Files of the NVIDIA driver on Linux and, the last one, on WSL2. */
const driverFiles = ["/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"];
