/** Trials on workers that join, with real training, against the same trials on this machine. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CliProcess, startCli } from "../helpers/cli-process.ts";
import { markProcesses, until, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test.skipIf(process.env.CLIPRPN_TEST_SLOW !== "1")(
  "cold, warm, handed back and after SIGKILL of the sweep: the models have the same bits as on this machine",
  async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "argparse.py"), "raise SystemExit(1)"); // Workers must not import it.
    const processes = markProcesses();
    const cli = (...args: string[]): CliProcess =>
      startCli([...args, "--python", testPython()], folder, processes.env);
    const sweepArgs = [
      "sweep",
      join(packageRoot, "experiments/smoke.json"),
      ...["--set", "settings.training.num_epochs=4"],
    ];
    const here = cli(...sweepArgs, "--runs-dir", "here");
    expect(await here.ended, here.err()).toBe(0);

    const queueArgs = [...sweepArgs, "--runs-dir", "elsewhere", "--engine", "queue"];
    const killed = cli(...queueArgs);
    await killed.prints("none has joined");
    const first = cli("worker", "--join", "elsewhere/sweeps/smoke", "--workers", "1");
    await first.prints(/ runs$/m);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const again = cli(...queueArgs);
    const checkpoint = (): boolean =>
      trialIds(join(folder, "elsewhere")).some((id) =>
        existsSync(new TrialStore(join(folder, "elsewhere"), id).checkpointFile(1)),
      );
    await until(checkpoint); // After its first epoch.
    first.child.kill("SIGTERM");
    await first.ended;
    expect(first.err()).toContain("ended: preempted");
    const second = cli("worker", "--join", "elsewhere/sweeps/smoke", "--workers", "1");
    expect(await again.ended, again.err()).toBe(0);
    expect(await second.ended, second.err()).toBe(0);

    const ids = trialIds(join(folder, "here"));
    expect(ids).toHaveLength(2);
    expect(trialIds(join(folder, "elsewhere"))).toEqual(ids);
    const attempts = ids.map((id) => new TrialStore(join(folder, "elsewhere"), id).attempts().length);
    expect(Math.max(...attempts)).toBe(2); // That of the worker which left goes on in a second one.
    for (const id of ids)
      expect(filesOf(join(folder, "elsewhere"), id), id).toEqual(filesOf(join(folder, "here"), id));
    await untilNone(processes);
  },
);

/** Hashes of a trial's models and predictions, and its metrics. */
function filesOf(runsDir: string, id: string): object {
  const trial = new TrialStore(runsDir, id);
  const [accepted] = trial.accepted();
  const { folder } = trial.attempt(accepted?.attempt ?? 0);
  const outcome = trial.outcome(accepted?.attempt ?? 0);
  const names = ["best.safetensors", "last.safetensors", "predictions-val.parquet"];
  return {
    metrics: outcome?.state === "completed" ? outcome.metrics : outcome,
    ...Object.fromEntries(
      names.map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
      ]),
    ),
  };
}
