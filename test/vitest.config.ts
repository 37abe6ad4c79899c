import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests wait for conditions; these limits only end a test that hangs, also on a busy machine. */
const limitMs = 300_000;

export default defineConfig({
  test: {
    testTimeout: limitMs,
    hookTimeout: limitMs,
    teardownTimeout: limitMs,
    // Many tests wait for processes, so that two files at once pay off on two cores too.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: fileURLToPath(new URL("./helpers/build-dist.ts", import.meta.url)),
  },
});
