import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

/** Builds dist/ once per run: tests start the command as users do, from the bundle. */
export default function buildDist(): void {
  execFileSync(process.execPath, [join(packageRoot, "bin/build.js")], { stdio: "inherit" });
}
