import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

/** The interpreter that `npm test` set up. */
export function testPython(): string {
  const python = process.env.CLIPRPN_TEST_PYTHON;
  if (python === undefined) throw new Error("CLIPRPN_TEST_PYTHON is not set; run the tests by `npm test`");
  return python;
}

/** Where the Python modules lie that stand for `cliprpn.bridge.runtime` in tests. */
export const faultsFolder = join(packageRoot, "test/python/faults");
