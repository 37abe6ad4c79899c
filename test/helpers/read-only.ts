import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { forbidWriting } from "./forbid-writing.ts";

/** False where no folder can be made read-only: root ignores permissions, and a container may not mount. */
export const canBeReadOnly = tryOnce();

/** Makes a folder read-only until the end of the test. */
export function makeReadOnly(folder: string): void {
  onTestFinished(forbidWriting(folder));
}

function tryOnce(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-test-"));
  try {
    forbidWriting(folder)();
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
