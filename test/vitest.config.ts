import { defineConfig } from "vitest/config";

/** Tests wait for conditions; these limits only end a test that hangs, also on a busy machine. */
const limitMs = 300_000;

export default defineConfig({
  test: { testTimeout: limitMs, hookTimeout: limitMs, teardownTimeout: limitMs },
});
