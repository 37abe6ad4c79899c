import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { checkSlurmNode } from "../../src/sweep/machines/check-slurm-node.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

// A share may show a file so much later; here it does not.
vi.mock("node:timers/promises", async (importOriginal) => {
  const timers = await importOriginal<typeof import("node:timers/promises")>();
  return {
    ...timers,
    setTimeout: (ms: number, value: unknown, options: object) =>
      timers.setTimeout(Math.min(ms, 10), value, options),
  };
});

/** A job that has ended by the first look at SLURM's queue. @param log what it has printed. */
async function messageOfJobThatEnded(log: string | undefined): Promise<{ message: string; runsDir: string }> {
  const slurm = new StubSlurm();
  const context = contextIn(tempFolder());
  const { runsDir } = context;
  const sbatch = join(slurm.folder, "sbatch");
  const print =
    log === undefined
      ? ""
      : `for folder in ${runsDir}/.doctor-*; do printf '${log}' > "$folder/7_0.log"; done`;
  writeFileSync(sbatch, `#!/bin/sh\ncat > /dev/null\n${print}\necho 7\n`);
  chmodSync(sbatch, 0o755);
  const run = { ...context, env: { ...slurm.env, ...context.env }, python: testPython() };
  const error = await checkSlurmNode({}, run).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "environment_broken" });
  expect(readdirSync(runsDir)).toEqual([]);
  return { message: String((error as Error).message), runsDir };
}

test("a job that ends without an answer is told with the last lines that it printed", async () => {
  const { message } = await messageOfJobThatEnded("loading\\npython: No module named cliprpn\\n");
  expect(message).toMatch(
    /^job 7_0 ended without an answer: .*python: No module named cliprpn\. Nodes need .*`setup`.*--runs-dir/s,
  );
});

test("a job that ends without an answer and printed nothing names the folder that its node may not see", async () => {
  const { message, runsDir } = await messageOfJobThatEnded(undefined);
  expect(message).toContain(
    `job 7_0 ended without an answer: it printed nothing, or the node does not see ${runsDir}/.doctor-`,
  );
});

test("what goes wrong first is told, also if the folder of the job is gone then", async () => {
  const slurm = new StubSlurm();
  const runs = tempFolder();
  const sbatch = join(slurm.folder, "sbatch");
  writeFileSync(
    sbatch,
    `#!/bin/sh\nrm -rf ${runs}/runs/.doctor-*\necho "invalid partition specified: gpux" >&2\nexit 1\n`,
  );
  chmodSync(sbatch, 0o755);
  slurm.setFailure("scancel", "Unable to contact slurm controller");
  const context = contextIn(runs);
  const run = { ...context, env: { ...slurm.env, ...context.env }, python: testPython() };
  await expect(checkSlurmNode({}, run)).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/invalid partition specified: gpux/),
  });
});
