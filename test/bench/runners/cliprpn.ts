/** Runs trials on cliprpn's local workers: `tsx cliprpn.ts NUM_TRIALS NUM_WORKERS none|torch FOLDER PYTHON`. */
import { join } from "node:path";
import { codeHashes } from "../../../src/contract/code-identity.ts";
import { LocalEngine } from "../../../src/engine/local/local-engine.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { madeSpec } from "../../helpers/report-input.ts";
import { planOf, runToCompletion, storedSweep } from "../journaled.ts";

const [numTrials = "", numWorkers = "", label = "", folder = "", python = ""] = process.argv.slice(2);

const trials = Array.from({ length: Number(numTrials) }, (_, seed) => ({
  ...madeSpec(label, seed),
  num_threads: 1,
  sources_sha256: codeHashes().cliprpn,
}));
const engine = new LocalEngine({
  python,
  device: "cpu",
  numThreads: 1,
  logFile: join(folder, "engine.log"),
  module: "bench.runners.no_op",
  extraModulePath: [join(packageRoot, "test")],
  env: { ...process.env, BENCH_ENDS: folder },
});
try {
  const plan = planOf(trials);
  await runToCompletion(engine, storedSweep(join(folder, "runs"), plan), plan, Number(numWorkers));
} finally {
  await engine.close();
}
