import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { PilotFacts, SlurmOptions } from "../../src/contract/generated/types.ts";
import type { Pilot } from "../../src/engine/queue/pilot-watch.ts";
import { Slurm } from "../../src/engine/slurm/slurm.ts";
import { SlurmPilots } from "../../src/engine/slurm/slurm-pilots.ts";
import { errorOf } from "../helpers/error-of.ts";
import { until } from "../helpers/processes.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";

let slurm: StubSlurm;
let source: SlurmPilots;
/** In ms; a look at SLURM's queue is due every second. */
let clock = 0;
/** What the source last said. */
let said: string | undefined;

beforeEach(() => {
  slurm = new StubSlurm();
  clock = 0;
});

function open(options: SlurmOptions = {}, env: NodeJS.ProcessEnv = slurm.env, mayHaveJobs = false): void {
  const logFolder = join(slurm.folder, "logs");
  mkdirSync(logFolder, { recursive: true });
  source = new SlurmPilots({
    slurm: new Slurm("cliprpn-test", env),
    job: { name: "cliprpn-test", logFolder, command: ["worker"], env: {}, numThreads: 1 },
    options,
    mayHaveJobs,
    squeueMs: 1000,
    now: () => clock,
  });
}

/** Says how many attempts there are, a second later than before, until the source has looked at SLURM's queue and acted. */
async function look(numAttempts: number, pilots: Pilot[] = []): Promise<void> {
  clock += 100_000; // Also longer than any wait after a failure.
  const numBefore = slurm.numListings();
  await until(() => {
    said = source.want(numAttempts, pilots);
    return slurm.numListings() > numBefore;
  });
  await source.settled();
  said = source.want(numAttempts, pilots);
}

function pilot(id: string, changes: Partial<PilotFacts> & { restart?: number; lost?: string } = {}): Pilot {
  const { restart = 0, lost, ...facts } = changes;
  const process = {
    host: "n1",
    machine_id: null,
    boot_id: null,
    pid: 1,
    pid_namespace: null,
    process_start: null,
  };
  return {
    name: `pilot-${id}-${restart}`,
    slot: 0,
    lost,
    facts: {
      schema_version: 1,
      name: `pilot-${id}-${restart}`,
      label: `slurm:${id}.${restart}@n1`,
      state: "ready",
      error: null,
      process,
      environment: null,
      ...facts,
    },
  };
}

const sizes = (): (string | undefined)[] =>
  slurm.scripts().map((script) => /--array=0-(\d+)/.exec(script)?.[1]);

describe("as many jobs as attempts", () => {
  test("up to array_parallelism, in one array, and no more while they are there", async () => {
    open({ array_parallelism: 3 });
    await look(10);
    expect(sizes()).toEqual(["2"]);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(10);
    await look(10);
    expect(sizes()).toEqual(["2"]);
    await look(2);
    expect(slurm.canceled()).toEqual([]);
  });

  test("a job that has ended, as at its time limit, is replaced", async () => {
    open();
    await look(2);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(2, [pilot("1_0")]);
    slurm.setJob("1_0");
    await look(2);
    expect(sizes()).toEqual(["1", "0"]);
  });

  test("the job of a pilot that has ended is asked for at once", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(1, [pilot("1_0")]);
    slurm.setJob("1_0");
    const numBefore = slurm.numListings();
    source.want(1, [pilot("1_0")]);
    await source.settled();
    expect(slurm.numListings()).toBe(numBefore); // No second has passed.
    source.want(1, []);
    await source.settled();
    expect([slurm.numListings(), sizes()]).toEqual([numBefore + 1, ["0", "0"]]);
  });

  test("jobs of an earlier process are found", async () => {
    slurm.setJob("7_0", "RUNNING|n1|None");
    slurm.setJob("7_1", "PENDING||Resources");
    open();
    await look(3);
    expect(sizes()).toEqual(["0"]);
  });

  test("a job that SLURM holds back after a preemption is replaced, and canceled", async () => {
    open();
    await look(2);
    slurm.setJob("1_0", "PENDING||BeginTime");
    await look(2);
    expect(slurm.canceled()).toEqual(["1_0"]);
    expect(sizes()).toEqual(["1", "0"]);
  });

  test("with begin, jobs wait as asked", async () => {
    open({ additional_parameters: { begin: "tomorrow" } });
    await look(1);
    slurm.setJob("1_0", "PENDING||BeginTime");
    await look(1);
    expect([slurm.canceled(), sizes()]).toEqual([[], ["0"]]);
  });

  test("the job of a lost pilot is killed and replaced", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(1, [pilot("1_0")]);
    await look(1, [pilot("1_0", { lost: "it gave no sign of life" })]);
    expect(slurm.canceled()).toEqual(["--signal=KILL --batch 1_0", "1_0"]);
    expect(sizes()).toEqual(["0", "0"]);
  });

  test("a job that SLURM has started again is not killed for its first pilot", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(1, [pilot("1_0")]);
    await look(1, [pilot("1_0", { lost: "it is gone" }), pilot("1_0", { restart: 1 })]);
    expect([slurm.canceled(), sizes()]).toEqual([[], ["0"]]);
  });
});

describe("whether a pilot is gone", () => {
  test("only a listing after it was seen counts", async () => {
    open();
    await look(1);
    slurm.setJob("1_0");
    await look(0);
    const late = pilot("1_0");
    source.want(0, [late]);
    expect(source.gone(late)).toBeUndefined();
    await look(0, [late]);
    expect(source.gone(late)).toEqual({ how: "lost", reason: expect.stringMatching(/1_0/) });
  });

  test.each([
    ["RUNNING|n1|None", undefined],
    ["COMPLETING|n1|None", undefined],
    ["PENDING||Resources", "preempted"],
    ["PENDING||BeginTime", "preempted"],
    ["TIMEOUT|n1|None", "preempted"],
    ["PREEMPTED|n1|None", "preempted"],
    ["OUT_OF_MEMORY|n1|None", "lost"],
    ["NODE_FAIL|n1|None", "lost"],
    ["COMPLETED|n1|None", "lost"],
  ])("its job as %s", async (line, how) => {
    open();
    await look(1);
    source.want(1, [pilot("1_0")]);
    slurm.setJob("1_0", line);
    await look(1, [pilot("1_0")]);
    expect(source.gone(pilot("1_0"))?.how).toBe(how);
  });

  test("for lack of memory: says so, and what to set; the job is replaced", async () => {
    open();
    await look(1);
    source.want(1, [pilot("1_0")]);
    slurm.setJob("1_0", "OUT_OF_MEMORY|n1|None");
    await look(1, [pilot("1_0")]);
    expect(source.gone(pilot("1_0"))?.reason).toMatch(/1_0.*OUT_OF_MEMORY.*mem_gb/);
    expect(sizes()).toEqual(["0", "0"]);
  });

  test("preempted, if a later start of its job has a pilot", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    source.want(1, [pilot("1_0")]);
    await look(1, [pilot("1_0"), pilot("1_0", { restart: 1 })]);
    expect(source.gone(pilot("1_0"))?.how).toBe("preempted");
    expect(source.gone(pilot("1_0", { restart: 1 }))).toBeUndefined();
  });

  test("not, while SLURM does not answer, or if somebody else started it", async () => {
    open();
    await look(1);
    slurm.setJob("1_0");
    slurm.setFailure("squeue", "slurm_load_jobs error: Unable to contact slurm controller");
    const seen = [pilot("1_0"), { ...pilot("1_0"), facts: { ...pilot("1_0").facts, label: "ssh" } }];
    clock += 2000;
    await until(() => /Unable to contact/.test(source.want(1, seen) ?? ""));
    expect(seen.map((each) => source.gone(each))).toEqual([undefined, undefined]);
    slurm.setFailure("squeue", undefined);
    await look(1, seen);
    expect(said ?? "").not.toMatch(/Unable to contact/);
  });
});

describe("what people read", () => {
  test("why jobs wait, and how many workers start", async () => {
    open();
    await look(4);
    slurm.setJob("1_0", "PENDING||Resources");
    slurm.setJob("1_1", "PENDING||QOSMaxJobsPerUserLimit");
    slurm.setJob("1_2", "RUNNING|n1|None");
    slurm.setJob("1_3", "RUNNING|n1|None");
    await look(4, [pilot("1_3")]);
    expect(said).toBe("2 jobs in SLURM's queue (Resources, QOSMaxJobsPerUserLimit); 1 worker starting");
  });

  test("nothing, if all workers are ready", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(1, [pilot("1_0")]);
    expect(said).toBeUndefined();
  });
});

/** Looks until the source gives up. @returns its error. */
async function faultOf(numAttempts: number): Promise<unknown> {
  clock += 2000;
  await until(() => {
    try {
      source.want(numAttempts, []);
      return false;
    } catch {
      return true;
    }
  });
  return errorOf(() => source.want(numAttempts, []));
}

describe("SLURM says no", () => {
  test("to the first jobs: its own words", async () => {
    open();
    slurm.setFailure("sbatch", "sbatch: error: invalid partition specified: gpux");
    expect(await faultOf(1)).toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/engine\.slurm[\s\S]*invalid partition specified: gpux/),
    });
  });

  test("since it is not there", async () => {
    open({}, { PATH: join(slurm.folder, "scripts") });
    expect(await faultOf(1)).toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/squeue.*PATH/),
    });
  });

  test("before it has listed the jobs of an earlier process: they are waited for", async () => {
    open({}, slurm.env, true);
    slurm.setFailure("squeue", "slurm_load_jobs error: Unable to contact slurm controller");
    clock += 2000;
    await until(() => /Unable to contact/.test(source.want(1, []) ?? ""));
    slurm.setJob("7_0", "RUNNING|n1|None");
    slurm.setFailure("squeue", undefined);
    await look(1, [pilot("7_0")]);
    expect([said, sizes()]).toEqual([undefined, []]);
  });

  test("to more jobs: those that are there go on", async () => {
    open();
    await look(1);
    slurm.setJob("1_0", "RUNNING|n1|None");
    slurm.setFailure("sbatch", "sbatch: error: QOSMaxSubmitJobPerUserLimit");
    await look(3, [pilot("1_0")]);
    expect(said).toMatch(/QOSMaxSubmitJobPerUserLimit/);
    slurm.setFailure("sbatch", undefined);
    await look(3, [pilot("1_0")]);
    expect(sizes()).toEqual(["0", "1"]);
  });
});

describe("a job whose worker is not ready in time, as where a file system does not answer", () => {
  test.each([
    ["never says anything", []],
    ["says that it starts", [pilot("1_0", { state: "starting" })]],
  ])("is ended, told and replaced: it %s", async (_, pilots) => {
    open();
    await look(2);
    slurm.setJob("1_0", "CONFIGURING|n1|None"); // Nodes may have to boot first.
    slurm.setJob("1_1", "RUNNING|n2|None");
    const seen = [pilot("1_1"), ...pilots];
    for (let minutes = 0; minutes < 15; minutes += 100 / 60) await look(2, seen);
    slurm.setJob("1_0", "RUNNING|n1|None");
    for (let s = 0; s <= 600; s += 100) await look(2, seen);
    expect([slurm.canceled(), source.givenUp()]).toEqual([[], []]);
    await look(2, seen);
    expect(slurm.canceled()).toEqual(["--signal=KILL --batch 1_0", "1_0"]);
    expect(sizes()).toEqual(["1", "0"]);
    expect(source.givenUp()).toMatchObject([
      { worker: "n1 (slurm:1_0)", state: "refused", reason: expect.stringMatching(/not ready after 11 min/) },
    ]);
  });

  test("ends the sweep if all are so, on one node after the other", async () => {
    open();
    for (const [number, id] of ["1_0", "2_0", "3_0", "4_0"].entries()) {
      await look(1);
      slurm.setJob(id, `RUNNING|n${number}|None`);
      if (id !== "4_0") for (let s = 0; s <= 700; s += 100) await look(1);
    }
    clock += 100_000;
    await until(() => {
      clock += 100_000;
      try {
        source.want(1, []);
        return false;
      } catch {
        return true;
      }
    });
    expect(errorOf(() => source.want(1, []))).toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/^4 jobs .*4_0 on n3: its worker was not ready after 11 min/),
    });
  });
});

describe("jobs that end before their worker is ready", () => {
  test("end the sweep, with the end of the log of the last", async () => {
    open();
    writeFileSync(join(slurm.folder, "logs/4_0.log"), "bash: line 9: /env/bin/python: No such file\n");
    for (const id of ["1_0", "2_0", "3_0"]) {
      await look(1);
      slurm.setJob(id);
    }
    await look(1);
    slurm.setJob("4_0");
    expect(await faultOf(1)).toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/^4 jobs .*4_0: .*No such file[\s\S]*4_0\.log/),
    });
    expect(slurm.scripts()).toHaveLength(4);
  });

  test("end it with the reason of a worker that refused", async () => {
    open();
    const error = { code: "device_unavailable" as const, message: "expected a GPU, found none" };
    for (const id of ["1_0", "2_0", "3_0", "4_0"]) {
      await look(1);
      slurm.setJob(id, "RUNNING|n1|None");
      await look(1, [pilot(id, { state: "refused", error })]);
      slurm.setJob(id);
    }
    expect(await faultOf(1)).toMatchObject({ message: expect.stringMatching(/4_0 on n1: expected a GPU/) });
  });

  test("bar their node, while others work", async () => {
    open({ additional_parameters: { exclude: "n9" } });
    await look(3);
    slurm.setJob("1_2", "RUNNING|n2|None");
    for (const id of ["1_0", "1_1"]) slurm.setJob(id, "RUNNING|n1|None");
    await look(3, [pilot("1_2")]);
    for (const id of ["1_0", "1_1"]) slurm.setJob(id);
    await look(3, [pilot("1_2")]);
    expect(slurm.scripts().at(-1)).toMatch(/^#SBATCH --exclude=n9,n1$/m);
    expect(said).toMatch(/without n1/);
  });

  test("do not end the sweep when the job that worked meanwhile ends, as at its time limit", async () => {
    open();
    await look(3);
    slurm.setJob("1_2", "RUNNING|n2|None");
    for (const [ids, node] of [
      [["1_0", "1_1"], "n1"],
      [["2_0", "2_1"], "n3"],
    ] as const) {
      for (const id of ids) slurm.setJob(id, `RUNNING|${node}|None`);
      await look(3, [pilot("1_2")]);
      for (const id of ids) slurm.setJob(id);
      await look(3, [pilot("1_2")]);
    }
    slurm.setJob("1_2");
    await look(3);
    await look(3);
    expect(said).toMatch(/^3 jobs in SLURM's queue; without n1 and n3/);
  });

  test("a worker that was ready had a good start", async () => {
    open();
    for (const id of ["1_0", "2_0", "3_0", "4_0", "5_0", "6_0"]) {
      await look(1);
      slurm.setJob(id, "RUNNING|n1|None");
      await look(1, [pilot(id)]);
      slurm.setJob(id);
    }
    expect(slurm.scripts()).toHaveLength(6);
    expect(said).toBeUndefined();
  });
});

test("an attempt has the time limit of its job, up to the signal before it", () => {
  open({ timeout_min: 60 });
  expect(source.limitMs).toBe(1000 * (3600 - 120));
});

describe("the end", () => {
  test("kills what still runs, and takes the rest out of SLURM's queue", async () => {
    open();
    await look(2);
    slurm.setJob("1_0", "RUNNING|n1|None");
    await look(2, [pilot("1_0")]);
    await source.close();
    expect(slurm.canceled()).toEqual([
      "--signal=KILL --batch 1_0",
      expect.stringMatching(/--name=cliprpn-test/),
    ]);
    expect(slurm.jobs()).toEqual([]);
  });

  test("does not fail a sweep because SLURM does not answer", async () => {
    open();
    await look(1);
    slurm.setFailure("squeue", "slurm_load_jobs error: Unable to contact slurm controller");
    await source.close();
    expect(slurm.canceled()).toEqual([]);
  });

  test("leaves jobs for all attempts, if they are to go on without this process", async () => {
    open();
    await source.leave(3);
    expect([sizes(), slurm.jobs().length, slurm.canceled()]).toEqual([["2"], 3, []]);
  });

  test("says so if there is no job to leave", async () => {
    open();
    slurm.setFailure("sbatch", "sbatch: error: invalid partition specified: gpux");
    await expect(source.leave(3)).rejects.toMatchObject({ code: "bad_input" });
  });
});
