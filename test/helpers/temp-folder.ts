import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder of the test's own, removed at its end. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder that several tests share; the caller removes it. */
export function lastingFolder(name: string): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), `cliprpn-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
