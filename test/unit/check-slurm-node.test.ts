import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkSlurmNode } from "../../src/sweep/machines/check-slurm-node.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

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
