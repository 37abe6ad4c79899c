/** Sweeps with real torch that are interrupted at rarer moments: while Python starts, hangs, or extracts features. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CliProcess, startCli } from "../helpers/cli-process.ts";
import { type MarkedProcesses, markProcesses, until, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("interrupted-sweep");
const data = join(folder, "data");

beforeAll(async () => {
  await makeSmallDemo(data);
  const experiment = {
    name: "good",
    question: "Does the sweep survive?",
    dataset: { name: "scenes", root: data },
    num_threads: 1, // Two threads that wait for each other are slow while other tests run.
    settings: { training: { num_epochs: 2 } },
    vary: { fusion: ["film", "concatenation"] },
    seeds: [0],
  };
  writeFileSync(join(folder, "good.json"), JSON.stringify(experiment));
});

/** A sweep in a separate process, with a separate runs folder and a shared cache. */
function sweep(runs: string, ...args: string[]): CliProcess & { processes: MarkedProcesses } {
  const processes = markProcesses();
  const all = ["sweep", "good.json", "--python", testPython(), "--runs-dir", runs, "--workers", "1", ...args];
  const env = { ...processes.env, CLIPRPN_CACHE: join(folder, "cache") };
  return { ...startCli(all, folder, env), processes };
}

test("a second Ctrl-C ends a Python that does not respond, without the grace time", async () => {
  const run = sweep("twice", "--json", "--set", "training.num_epochs=500");
  await run.prints(/"type":"trial".*"running"/);
  const python = run.processes.running().find((line) => line.includes("interface.py"));
  process.kill(Number.parseInt(python ?? "", 10), "SIGSTOP");
  run.child.kill("SIGINT");
  await run.prints("Ctrl-C again");
  await new Promise((resolve) => setTimeout(resolve, 300)); // Within 200 ms it counts as npx's copy of the first.
  run.child.kill("SIGINT");
  // After the grace time of five seconds the CLI would end by itself, and say so.
  expect(await run.ended).toBe(130);
  expect(run.err()).not.toContain("Interrupted");
  await untilNone(run.processes);
});

test.each([
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
] as const)("%s while Python starts stops cleanly", async (signal) => {
  const run = sweep(`start-${signal}`);
  await until(() => run.processes.running().some((line) => line.includes("interface.py")));
  run.child.kill(signal);
  expect(await run.ended).toBe(130);
  await untilNone(run.processes);
});

test("SIGINT while features are extracted stops cleanly, and the same command finishes", async () => {
  const cache = join(folder, "separate-cache");
  const start = (): CliProcess => {
    const all = ["sweep", "good.json", "--python", testPython(), "--runs-dir", "extracting"];
    return startCli(all, folder, { ...processes.env, CLIPRPN_CACHE: cache });
  };
  const processes = markProcesses();
  const run = start();
  await until(() => existsSync(join(cache, "features")));
  run.child.kill("SIGINT");
  expect(await run.ended).toBe(130);
  await untilNone(processes);
  const again = start();
  expect(await again.ended, again.err()).toBe(0);
});

describe("a trial killed within its training", () => {
  const epochs = ["--set", "training.num_epochs=40", "--set", "vary={}"];
  const trialOf = (runs: string): TrialStore => {
    const [trial_id = ""] = trialIds(join(folder, runs));
    return new TrialStore(join(folder, runs), trial_id);
  };
  const resultOf = (trial: TrialStore, attempt: number) => {
    const outcome = trial.outcome(attempt);
    if (outcome?.state !== "completed") throw new Error(`expected a completed attempt ${attempt}`);
    const { metrics, best_epoch, resumed_from } = outcome;
    const models = ["best", "last"].map((name) =>
      readFileSync(join(trial.attempt(attempt).folder, `${name}.safetensors`)).toString("base64"),
    );
    const timeless = outcome.epochs.map(({ duration_ms: _, ...epoch }) => epoch);
    return { bits: { metrics, best_epoch, epochs: timeless, models }, resumed_from };
  };

  test.each([
    "Python",
    "the command",
  ] as const)("by a SIGKILL of %s continues with the same bits", async (killed) => {
    const whole = sweep("whole", ...epochs); // Only once: the second test finds it done.
    expect(await whole.ended, whole.err()).toBe(0);
    const runs = `killed-${killed}`;
    const run = sweep(runs, ...epochs);
    await until(() => trialIds(join(folder, runs)).length > 0 && existsSync(trialOf(runs).checkpointFile(1)));
    const python = run.processes.running().find((line) => line.includes("interface.py"));
    if (killed === "Python") process.kill(Number.parseInt(python ?? "", 10), "SIGKILL");
    else run.child.kill("SIGKILL");
    const trial = trialOf(runs);
    if (killed === "the command") {
      await run.ended;
      await untilNone(run.processes);
      expect(trial.outcome(1)).toBeUndefined();
      const again = sweep(runs, ...epochs);
      expect(await again.ended, again.err()).toBe(0);
    } else expect(await run.ended, run.err()).toBe(0);
    const { bits, resumed_from } = resultOf(trial, 2);
    expect(resumed_from).toMatchObject({ attempt: 1 });
    expect(resumed_from?.epoch).toBeGreaterThan(1);
    const expected = resultOf(trialOf("whole"), 1);
    expect(expected.resumed_from ?? null).toBeNull();
    expect(bits).toEqual(expected.bits);
    expect([1, 2].filter((number) => existsSync(trial.checkpointFile(number)))).toEqual([]);
    expect(readFileSync(join(folder, runs, "sweeps", "good", "REPORT.md"), "utf8")).toContain(
      "1 trial was interrupted and resumed",
    );
  });
});

test("a closed output pipe ends the sweep, and no process is left", async () => {
  const run = sweep("head", "--json");
  await run.prints(/"type":"trial".*"running"/);
  run.child.stdout.destroy();
  expect(await run.ended).toBe(130);
  expect(run.err()).not.toMatch(/EPIPE|Error|internal/);
  await untilNone(run.processes);
});
