import { torchPins } from "./torch-lock.ts";

/** What the commands speak of. */
export interface SyncPlan {
  python: string;
  /** The text of the lock, and the file that holds it (or, with a torchBackend, all of it but torch). */
  lock: string;
  lockFile: string;
  torchBackend: string | undefined;
}

/**
 * What uv is told, in this order, so that an environment holds the lock's packages.
 *
 * A chosen torch has hashes that no lock of ours knows, and its own CUDA packages: it comes from uv's index for that backend
 * at the version that the lock fixes, while everything else is still held against its hashes.
 */
export function syncCommands({ python, lock, lockFile, torchBackend }: SyncPlan): string[][] {
  const sync = ["pip", "sync", "--python", python, "--compile-bytecode", "--require-hashes", lockFile];
  if (torchBackend === undefined) return [sync];
  const backend = ["--torch-backend", torchBackend];
  return [sync, ["pip", "install", "--python", python, "--compile-bytecode", ...backend, ...torchPins(lock)]];
}
