import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SlurmOptions } from "../../src/contract/generated/types.ts";
import { batchScript, type PilotJob } from "../../src/engine/slurm/batch-script.ts";
import { Slurm, withoutOptions } from "../../src/engine/slurm/slurm.ts";
import { parseLabel, parseSqueue } from "../../src/engine/slurm/squeue.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const job: PilotJob = {
  name: "cliprpn-fusion-1a2b3c4d",
  logFolder: "/runs/queue/logs",
  command: ["/env/bin/python", "-m", "cliprpn.worker", "--queue", "/runs/queue"],
  env: { CLIPRPN_CACHE: "/cache" },
  numThreads: 2,
};

const directives = (options: SlurmOptions, changes: Partial<PilotJob> = {}): string[] =>
  batchScript({ ...job, ...changes }, options, 4)
    .split("\n")
    .filter((line) => line.startsWith("#SBATCH "))
    .map((line) => line.slice("#SBATCH ".length));

describe("the script of the jobs", () => {
  test("without options: one array, requeued, with a signal before the limit", () => {
    expect(directives({})).toEqual([
      "--job-name=cliprpn-fusion-1a2b3c4d",
      "--array=0-3",
      "--output=/runs/queue/logs/%A_%a.log",
      "--open-mode=append",
      "--requeue",
      "--signal=B:USR1@120",
      "--time=60",
      "--gpus-per-node=1",
      "--cpus-per-task=2",
    ]);
  });

  test.each<[options: SlurmOptions, expected: string]>([
    [{ partition: "gpu,long" }, "--partition=gpu,long"],
    [{ account: "lab" }, "--account=lab"],
    [{ qos: "high" }, "--qos=high"],
    [{ constraint: "a100|h100" }, '--constraint="a100|h100"'],
    [{ cpus_per_task: 8 }, "--cpus-per-task=8"],
    [{ mem_gb: 16 }, "--mem=16G"],
    [{ timeout_min: 240 }, "--time=240"],
    [{ timeout_min: 4 }, "--signal=B:USR1@60"],
    [{ timeout_min: 4, signal_delay_s: 90 }, "--signal=B:USR1@90"],
    [{ additional_parameters: { exclude: "n[1-3]" } }, '--exclude="n[1-3]"'],
    [{ additional_parameters: { mem_per_cpu: "2G" } }, "--mem-per-cpu=2G"],
    [{ additional_parameters: { exclusive: true } }, "--exclusive"],
    [{ additional_parameters: { nice: 100 } }, "--nice=100"],
  ])("%j gives %s", (options, expected) => {
    expect(directives(options)).toContain(expected);
  });

  test("without GPUs, or with a kind of GPU, no GPU is asked for by number", () => {
    expect(directives({ gpus_per_node: 0 }).join()).not.toMatch(/gpu/);
    const gres = directives({ additional_parameters: { gres: "gpu:a100:1" } });
    expect(gres).toContain("--gres=gpu:a100:1");
    expect(gres.join()).not.toMatch(/gpus-per-node/);
  });

  test("an option that is false is left out", () => {
    expect(directives({ additional_parameters: { exclusive: false } }).join()).not.toMatch(/exclusive/);
  });

  test("the values of options stay in their line, and per cent signs in folders are kept", () => {
    const options = directives(
      { additional_parameters: { comment: 'a "b" \\ # $(c)' } },
      { logFolder: "/50% a" },
    );
    expect(options).toContain('--comment="a \\"b\\" \\\\ # $(c)"');
    expect(options).toContain('--output="/50%% a/%A_%a.log"');
  });

  test("the shell passes the command and its environment on as they are", () => {
    const strange = 'it\'s $HOME `date` "x" \\ ;&|* é\n2';
    const logFolder = tempFolder();
    const script = batchScript(
      { ...job, logFolder, command: ["printf", "%s\\0", strange], env: { STRANGE: strange } },
      { setup: ['export BEFORE="set up"'] },
      1,
    );
    const env = {
      PATH: process.env.PATH,
      SLURM_ARRAY_JOB_ID: "12",
      SLURM_ARRAY_TASK_ID: "3",
      SLURMD_NODENAME: "n1",
    };
    const out = execFileSync(
      "bash",
      ["-c", script.replace("exec printf", 'printf "%s\\0" "$STRANGE" "$BEFORE"; exec printf')],
      { env, encoding: "utf8" },
    );
    const [variable, before, argument, option, label = ""] = out.split("\0");
    expect([variable, before, argument, option]).toEqual([strange, "set up", strange, "--label"]);
    expect(parseLabel(label)).toEqual({ id: "12_3", restart: 0, node: "n1" });
  });

  test("the worker does not start in the user's folder, whose modules `python -m` would import", () => {
    const [folder, logFolder] = [tempFolder(), tempFolder()];
    const script = batchScript({ ...job, logFolder, command: ["printf", "%s %s", "worker"] }, {}, 1);
    const run = (text: string): string =>
      execFileSync("bash", ["-c", text], { cwd: folder, env: { PATH: process.env.PATH }, encoding: "utf8" });
    expect(run(script.replace("exec printf", "pwd; exec printf"))).toMatch(`${logFolder}\n`);
    rmSync(logFolder, { recursive: true });
    expect(() => run(script)).toThrow(/No such file or directory/);
  });
});

describe("the output of squeue", () => {
  test.each([
    ["12|0|RUNNING|n1|None", "alive", "n1", ""],
    ["12|0|COMPLETING|n1|None", "alive", "n1", ""],
    ["12|0|SUSPENDED|n1|None", "alive", "n1", ""],
    ["12|0|PENDING||Resources", "waiting", "", "Resources"],
    ["12|0|PENDING||QOSMaxJobsPerUserLimit", "waiting", "", "QOSMaxJobsPerUserLimit"],
    ["12|0|PENDING||None", "waiting", "", ""],
    ["12|0|PENDING||BeginTime", "held", "", "BeginTime"],
    ["12|0|REQUEUE_HOLD||launch failed requeued held", "held", "", "launch failed requeued held"],
    ["12|0|COMPLETED|n1|None", "ended", "n1", ""],
    ["12|0|PREEMPTED|n1|None", "ended", "n1", ""],
    ["12|0|NODE_FAIL|n1|None", "ended", "n1", ""],
  ])("%s is %s", (line, state, node, reason) => {
    const theirs = line.split("|")[2] ?? "";
    const [end, isRunning] = [state === "ended" ? theirs : "", theirs === "RUNNING"];
    expect(parseSqueue(`${line}\n`)).toEqual([{ id: "12_0", state, node, reason, end, isRunning }]);
  });

  test("lines that are no jobs of an array are skipped", () => {
    expect(
      parseSqueue("\nslurm_load_jobs error\n12|N/A|RUNNING|n1|None\n13|1|RUNNING|n2|None\n"),
    ).toHaveLength(1);
  });

  test("a label of another launcher names no job", () => {
    expect(parseLabel("")).toBeUndefined();
    expect(parseLabel("colleague's machine")).toBeUndefined();
  });
});

test("variables for sbatch do not overrule the options of a script; others stay", () => {
  const script =
    "#!/bin/bash\n#SBATCH --job-name=a\n#SBATCH --array=0-1\n#SBATCH --partition=gpu\nexec worker\n";
  const env = {
    SBATCH_JOB_NAME: "mine",
    SBATCH_ARRAY_INX: "0-99",
    SBATCH_PARTITION: "cpu",
    SBATCH_WAIT: "1",
    SBATCH_ACCOUNT: "lab",
    PATH: "/bin",
  };
  expect(withoutOptions(env, script)).toEqual({ SBATCH_ACCOUNT: "lab", PATH: "/bin" });
});

test("jobs get nothing from the shell that would change their Python", () => {
  const env = { PYTHONHOME: "/opt/other", PYTHONPATH: "/opt/modules", PYTHONNOUSERSITE: "1", PATH: "/bin" };
  expect(withoutOptions(env, "")).toEqual({ PYTHONNOUSERSITE: "1", PATH: "/bin" });
});

test.each([
  "sbatch: error: fetch_config: DNS SRV lookup failed\nsbatch: fatal: Could not establish a configuration source",
  "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
])("a machine that is no part of a cluster has no options to correct: %s", async (message) => {
  const stub = new StubSlurm();
  stub.setFailure("sbatch", message);
  const checked = new Slurm("cliprpn-test", stub.env).check("#!/bin/bash\n");
  await expect(checked).rejects.toMatchObject({ code: "environment_broken" });
});

test("defaults of a person for squeue and scancel hide no job, and ask nothing", async () => {
  const stub = new StubSlurm();
  const env = { ...stub.env, SQUEUE_PARTITION: "other", SCANCEL_INTERACTIVE: "1" };
  stub.setJob("12_0", "RUNNING|n1|None");
  const slurm = new Slurm("cliprpn-test", env);
  expect((await slurm.list()).map(({ id }) => id)).toEqual(["12_0"]);
  await slurm.cancel("12_0");
  expect(stub.jobs()).toEqual([]);
});
