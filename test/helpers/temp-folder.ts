import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A temporary folder that is removed at the end of the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-test-"));
  onTestFinished(() => remove(folder));
  return folder;
}

/**
 * A temporary folder for all tests of a file. Created first, it is removed last: hooks run in reverse order, so that engines
 * are closed before.
 */
export function sharedFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `cliprpn-${name}-`));
  afterAll(() => remove(folder));
  return folder;
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
