/**
 * Removes what `cliprpn gc` removes from a runs folder, and kills itself: `killed-gc.ts RUNS_DIR CALL`, before the first call of
 * this function of `node:fs` (renameSync, rmSync) that touches an attempt.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { collectGarbage } from "../../src/runs/collect-garbage.ts";

const [runsDir = "", call = ""] = process.argv.slice(2);
const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
const original = functions[call];
functions[call] = (...args) => {
  if (String(args[0]).includes("/attempts/")) process.kill(process.pid, "SIGKILL");
  return original?.(...args);
};
syncBuiltinESMExports();

await collectGarbage({
  runsDir,
  cache: runsDir,
  options: { oldCode: true, unasked: false, lastModels: false, logsOlderThanDays: 30 },
  command: "cliprpn gc --yes --old-code",
  signal: new AbortController().signal,
});
