/** How many actors of Ray a sweep asks for, and what it makes of what Ray says; with a stand-in for the driver. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type {
  PilotFacts,
  RayConnected,
  RayEnded,
  RayMessage,
  RayNode,
  RayRequest,
} from "../../src/contract/generated/types.ts";
import type { Pilot } from "../../src/engine/queue/pilot-watch.ts";
import type { RayDriverOptions } from "../../src/engine/ray/ray-driver.ts";
import { RayPilots } from "../../src/engine/ray/ray-pilots.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("there are as many actors as attempts, at most as many as allowed; those that wait are taken back", async () => {
  const { pilots, started, sent } = await connected({ maxWorkers: 3 });
  pilots.want(5, []);
  expect(started()).toHaveLength(3);
  pilots.want(5, []);
  expect(started()).toHaveLength(3);
  const [first = "", second = "", third = ""] = started();
  sent.length = 0;
  pilots.want(1, []);
  expect(sent).toEqual([
    { type: "end", id: second },
    { type: "end", id: third },
  ]);
  expect(first).not.toBe("");
});

test("an actor that has a node is not taken back, and one that ended is replaced", async () => {
  const { pilots, started, tell, place } = await connected();
  pilots.want(2, []);
  for (const id of started()) place(id, "n1");
  const [one = "", other = ""] = started();
  expect(pilots.want(0, [worker(one), worker(other)])).toBeUndefined();
  tell(ended(one, "lost", "its node was removed"));
  expect(pilots.gone(worker(one))).toEqual({ how: "lost", reason: "its node was removed" });
  expect(pilots.gone(worker(other))).toBeUndefined();
  pilots.want(2, [worker(one), worker(other)]);
  expect(started()).toHaveLength(3);
});

test("what the cluster takes away is no fault of the trial", async () => {
  const { pilots, started, tell, place } = await connected();
  pilots.want(1, []);
  const [id = ""] = started();
  place(id, "n1");
  tell(ended(id, "preempted", "the node is drained"));
  expect(pilots.gone(worker(id))).toMatchObject({ how: "preempted" });
  expect(pilots.gone(worker("0badcafe.1"))).toMatchObject({ how: "preempted" }); // Of an earlier driver.
  expect(pilots.gone({ ...worker(id), facts: { ...worker(id).facts, label: "box 7" } })).toBeUndefined();
});

test("an actor whose worker is not ready in time, as where a file system does not answer, is ended, told and replaced", async () => {
  const { pilots, started, sent, place, wait } = await connected();
  pilots.want(2, []);
  wait(3_600_000); // For a node.
  const [stuck = "", good = ""] = started();
  place(stuck, "n1");
  place(good, "n2");
  wait(659_000);
  pilots.want(2, [worker(good)]);
  expect([sent.filter(({ type }) => type === "end"), pilots.givenUp()]).toEqual([[], []]);
  wait(1000);
  pilots.want(2, [worker(good)]);
  expect(sent.filter(({ type }) => type === "end")).toEqual([{ type: "end", id: stuck }]);
  expect(started()).toHaveLength(3);
  expect(pilots.givenUp()).toMatchObject([
    {
      worker: `n1 (ray:${stuck})`,
      state: "refused",
      reason: expect.stringMatching(/not ready after 11 min/),
    },
  ]);
  wait(3_600_000);
  pilots.want(2, [worker(good)]);
  expect(pilots.givenUp()).toHaveLength(1);
});

test("workers on a node that is drained hand their attempts back, once, and others take their places", async () => {
  const { pilots, started, sent, tell, place } = await connected();
  pilots.want(2, []);
  const [one = "", other = ""] = started();
  place(one, "n1");
  place(other, "n2");
  const workers = [worker(one), worker(other)];
  pilots.want(2, workers);
  sent.length = 0;
  tell({ type: "nodes", nodes: [node("n1", true), node("n2")], free: { CPU: 1 } });
  expect(pilots.want(2, workers)).toMatch(/1 worker starting; without n1, which the cluster drains/);
  pilots.want(2, workers);
  const third = started()[2] ?? "";
  expect(sent).toEqual([
    { type: "leave", id: one },
    { type: "start", ids: [third], without_nodes: [] },
  ]);
  expect(pilots.gone(worker(one))).toBeUndefined(); // It hands its attempt back.
  tell(ended(one, "left", ""));
  expect(pilots.gone(worker(one))).toMatchObject({ how: "preempted" });
});

test("a drained node takes a worker along that did not leave in time, which is no fault of its trial", async () => {
  const { pilots, started, tell, place } = await connected();
  pilots.want(1, []);
  const [id = ""] = started();
  place(id, "n1");
  tell({ type: "nodes", nodes: [node("n1", true), node("n2")], free: {} });
  pilots.want(1, [worker(id)]);
  tell({ type: "nodes", nodes: [node("n2")], free: {} });
  expect(pilots.want(1, [worker(id)]) ?? "").not.toMatch(/n1/);
  tell(ended(id, "lost", "its node was removed"));
  expect(pilots.gone(worker(id))).toEqual({ how: "preempted", reason: "its node was removed" });
});

test("a worker that does not start on a drained node is no failed start; without another node, the next one waits", async () => {
  const { pilots, started, sent, tell, place, wait } = await connected({ nodes: [node("n1")] });
  tell({ type: "nodes", nodes: [node("n1", true)], free: {} });
  for (let failure = 0; failure < 4; failure += 1) {
    pilots.want(1, []);
    const id = started()[failure] ?? "";
    place(id, "n1");
    pilots.want(1, []);
    expect(sent).toContainEqual({ type: "leave", id });
    tell(ended(id, "crashed", "its process was killed by SIGTERM"));
  }
  wait(60_000);
  expect(pilots.want(1, [])).toMatch(/1 worker waiting for the Ray cluster \(no node is left\); without n1/);
});

test("a worker that is lost by its heartbeat is ended once", async () => {
  const { pilots, started, sent, place } = await connected();
  pilots.want(1, []);
  const [id = ""] = started();
  place(id, "n1");
  const frozen = { ...worker(id), lost: "no sign of life", isSilent: true };
  pilots.want(1, [frozen]);
  pilots.want(1, [frozen]);
  expect(sent.filter(({ type }) => type === "end")).toEqual([{ type: "end", id }]);
  expect(started()).toHaveLength(2);
  // Ray finds only after a minute that a node is frozen.
  expect(sent.at(-1)).toMatchObject({ type: "start", without_nodes: ["id-n1"] });
  const again = started()[1] ?? "";
  place(again, "n2");
  pilots.want(1, [{ ...worker(again), lost: "no sign of life", isSilent: true }]);
  expect(sent.at(-1)).toMatchObject({ type: "start", without_nodes: [] }); // No node would be left.
});

test("a node that does not see the folder is left out, by name, and tried again; without another one the sweep ends", async () => {
  const { pilots, started, sent, place, wait } = await connected();
  const last = (): string => started().at(-1) ?? "";
  pilots.want(1, []);
  place(last(), "n1", false);
  expect(pilots.want(1, [])).toMatch(/without n1, where the shared folder is missing/);
  expect(sent.at(-1)).toMatchObject({ type: "start", without_nodes: ["id-n1"] });
  place(last(), "n2", false);
  expect(pilots.want(1, [])).toMatch(/no node is left/);
  const waits = last();
  wait(30_000);
  pilots.want(1, []);
  expect(sent.slice(-2)).toMatchObject([
    { type: "end", id: waits },
    { type: "start", without_nodes: [] },
  ]);
  place(last(), "n1", false);
  pilots.want(1, []);
  place(last(), "n2", false);
  expect(() => pilots.want(1, [])).toThrow(/expected nodes that see .*queue, found none: n1, n2 do not/);
});

test("a node that shows the folder late is used", async () => {
  const { pilots, started, place, wait } = await connected({ nodes: [node("n1")] });
  pilots.want(1, []);
  place(started()[0] ?? "", "n1", false);
  pilots.want(1, []);
  wait(30_000);
  pilots.want(1, []);
  place(started().at(-1) ?? "", "n1");
  expect(pilots.want(1, [])).toBe("1 worker starting");
});

test("workers that end before they are ready are replaced more and more slowly, and end the sweep with their log", async () => {
  const { pilots, started, tell, place, queue, wait } = await connected();
  for (let failure = 0; failure < 4; failure += 1) {
    pilots.want(1, []);
    expect(started()).toHaveLength(failure + 1);
    const id = started()[failure] ?? "";
    place(id, failure % 2 === 0 ? "n1" : "n2");
    writeFileSync(join(queue, "logs", `${id}.log`), "no module named torch\n");
    tell(ended(id, "crashed", "its process exited with code 1"));
    if (failure === 1) {
      pilots.want(1, []);
      expect(started()).toHaveLength(2);
    }
    wait(60_000);
  }
  expect(() => pilots.want(1, [])).toThrow(/4 Ray actors ended before .* on n2: no module named torch/);
});

test("without another node, two failed starts on each end the sweep, with what the last worker said", async () => {
  const { pilots, started, tell, place, queue, wait } = await connected({ nodes: [node("n1")] });
  for (let failure = 0; failure < 2; failure += 1) {
    pilots.want(1, []);
    const id = started()[failure] ?? "";
    place(id, "n1");
    writeFileSync(join(queue, "logs", `${id}.log`), "no space left in /dev/shm\n");
    tell(ended(id, "crashed", "its process exited with code 1"));
    wait(60_000);
  }
  expect(() => pilots.want(1, [])).toThrow(/2 Ray actors ended before .* on n1: no space left in .dev.shm/);
});

test("workers that end at once on one node leave the sweep to the other", async () => {
  const { pilots, started, tell, place, wait, sent } = await connected();
  pilots.want(8, []);
  const [first = "", ...others] = started();
  place(first, "n1");
  for (const id of others) place(id, "n2");
  // While one worker starts, and then works, the node is at fault.
  for (const id of others.slice(0, 4)) tell(ended(id, "crashed", "its process exited with code 1"));
  expect(pilots.want(8, [])).toMatch(/without n2, where workers ended at once/);
  const ready = worker(first);
  pilots.want(8, [ready]);
  for (const id of others.slice(4)) tell(ended(id, "crashed", "its process exited with code 1"));
  wait(60_000);
  pilots.want(8, [ready]);
  expect(sent.at(-1)).toMatchObject({ type: "start", without_nodes: ["id-n2"] });
  // Neither counts for what comes later.
  tell(ended(first, "preempted", "the node is drained"));
  expect(pilots.want(8, [ready])).toMatch(/7 workers waiting/);
});

test("a worker that Ray says has ended, and that says later that it refused, is one failed start", async () => {
  const { pilots, started, tell, place, wait } = await connected();
  const fail = (failure: number): void => {
    pilots.want(1, []);
    const id = started()[failure] ?? "";
    place(id, failure % 2 === 0 ? "n1" : "n2");
    pilots.want(1, [worker(id, "starting")]);
    tell(ended(id, "crashed", "its process exited with code 1"));
    wait(60_000);
    pilots.want(1, [worker(id, "refused", "other code")]);
  };
  fail(0);
  fail(1);
  expect(pilots.want(1, []) ?? "").not.toMatch(/without/);
  fail(2);
  expect(pilots.want(1, [])).toMatch(/without n1, where workers ended at once/);
  expect(() => fail(3)).toThrow(/4 Ray actors ended before .* on n2: /);
});

test("what a worker said that refused is told, although Ray's word came first", async () => {
  const { pilots, started, tell, place, wait } = await connected({ nodes: [node("n1")] });
  for (const failure of [0, 1]) {
    pilots.want(1, []);
    const id = started()[failure] ?? "";
    place(id, "n1");
    tell(ended(id, "crashed", "its process exited with code 1"));
    if (failure === 0) pilots.want(0, [worker(id, "refused", "other code")]);
    else expect(() => pilots.want(1, [worker(id, "refused", "old code")])).toThrow(/on n1: old code/);
    wait(60_000);
  }
});

test("a node that is away is waited for while another does not see the folder", async () => {
  const { pilots, started, place, tell } = await connected();
  pilots.want(2, []);
  place(started()[0] ?? "", "n1", false);
  place(started()[1] ?? "", "n2");
  tell({ type: "nodes", nodes: [node("n1")], free: {} });
  tell(ended(started()[1] ?? "", "lost", "its node was removed"));
  expect(pilots.want(2, [])).toMatch(/without n1, where the shared folder is missing/);
  expect(pilots.want(2, [])).toMatch(/no node is left/);
  tell({ type: "nodes", nodes: [node("n1"), { ...node("n2"), id: "again" }], free: {} });
  expect(pilots.want(2, [])).toMatch(/waiting for the Ray cluster \(/);
});

test("a driver that is lost is started again, and its workers count as taken away; not for ever", async () => {
  const { pilots, drivers, started, place } = await connected();
  pilots.want(1, []);
  const [id = ""] = started();
  place(id, "n1");
  const lost = new CliprpnError("environment_broken", "killed by SIGKILL");
  drivers.at(-1)?.onLost?.(lost);
  expect(pilots.gone(worker(id))).toMatchObject({ how: "preempted" });
  for (let time = 0; time < 2; time += 1) {
    pilots.want(1, []);
    await Promise.resolve();
    pilots.want(1, []);
    drivers.at(-1)?.onLost?.(lost);
  }
  expect(drivers).toHaveLength(3);
  expect(() => pilots.want(1, [])).toThrow("killed by SIGKILL");
});

test("the process of a driver that was lost is ended, and waited for", async () => {
  const { pilots, drivers, closed } = await connected();
  drivers.at(-1)?.onLost?.(new CliprpnError("environment_broken", "the head is gone"));
  expect(closed).toEqual([0]);
  pilots.want(1, []);
  await pilots.close();
  expect(closed).toEqual([0, 1]);
});

test("a driver that cannot connect ends the sweep", async () => {
  const { pilots, drivers } = await connected({ isRefused: true });
  pilots.want(1, []);
  drivers[0]?.onLost?.(new CliprpnError("environment_broken", "nobody answers"));
  expect(() => pilots.want(1, [])).toThrow("nobody answers");
});

test("people learn why workers wait", async () => {
  const { pilots, started, place, tell } = await connected();
  tell({ type: "nodes", nodes: [node("n1")], free: { CPU: 0 } });
  pilots.want(2, []);
  expect(pilots.want(2, [])).toMatch(/2 workers waiting for the Ray cluster \(0 of 2 CPU free\)/);
  place(started()[0] ?? "", "n1");
  expect(pilots.want(2, [])).toMatch(/1 worker waiting.*; 1 worker starting/);
  tell({ type: "nodes", nodes: [{ ...node("head"), total: {} }], free: {} });
  expect(pilots.want(2, [])).toMatch(/no node has 1 CPU/);
});

test("the folder has a file for nodes to read while the driver lives", async () => {
  const { pilots, drivers, queue } = await connected();
  const { probe_file = "", probe = "" } = drivers[0]?.setup.worker ?? {};
  expect(readFileSync(probe_file, "utf8")).toBe(probe);
  await pilots.close();
  expect(readdirSync(queue)).toEqual(["logs"]);
});

interface Stand {
  pilots: RayPilots;
  drivers: RayDriverOptions[];
  sent: RayRequest[];
  /** Indices of the drivers that were closed. */
  closed: number[];
  queue: string;
  tell(message: RayMessage): void;
  /** Ids of all actors that were asked for. */
  started(): string[];
  place(id: string, node: string, isShared?: boolean): void;
  wait(ms: number): void;
}

/** A source of pilots whose stand-in of a driver is connected to a cluster, by default of two nodes. */
async function connected({
  maxWorkers = 16,
  isRefused = false,
  nodes = [node("n1"), node("n2")],
} = {}): Promise<Stand> {
  const queue = join(tempFolder(), "queue");
  mkdirSync(join(queue, "logs"), { recursive: true });
  const sent: RayRequest[] = [];
  const all: string[] = [];
  const drivers: RayDriverOptions[] = [];
  const closed: number[] = [];
  let now = 0;
  const pilots = new RayPilots({
    python: "none",
    env: {},
    address: "auto",
    actor: { num_cpus: 1, num_gpus: 0, resources: {}, label_selector: {} },
    command: ["worker"],
    workerEnv: {},
    queue,
    maxWorkers,
    now: () => now,
    startDriver: (options) => {
      const index = drivers.push(options) - 1;
      const message: RayConnected = {
        type: "connected",
        ray: "2",
        python: "3",
        nodes,
        free: {},
      };
      if (!isRefused) options.onMessage?.(message);
      return {
        connected: () => (isRefused ? Promise.reject(new Error("refused")) : Promise.resolve(message)),
        send: (request) => {
          sent.push(request);
          if (request.type === "start") all.push(...request.ids);
        },
        close: () => {
          closed.push(index);
          return Promise.resolve();
        },
      };
    },
  });
  pilots.want(0, []);
  await Promise.resolve();
  const tell = (message: RayMessage): void => drivers.at(-1)?.onMessage?.(message);
  return {
    pilots,
    drivers,
    closed,
    sent,
    queue,
    tell,
    started: () => all,
    place: (id, name, is_shared = true) =>
      tell({ type: "placed", id, node: name, node_id: `id-${name}`, is_shared }),
    wait: (ms) => {
      now += ms;
    },
  };
}

function node(name: string, is_draining = false): RayNode {
  return { id: `id-${name}`, name, total: { CPU: 2 }, is_draining };
}

function ended(id: string, how: RayEnded["how"], reason: string): RayEnded {
  return { type: "ended", id, how, reason };
}

function worker(id: string, state: PilotFacts["state"] = "ready", message?: string): Pilot {
  const process = {
    host: "a",
    machine_id: null,
    boot_id: null,
    pid: 1,
    pid_namespace: null,
    process_start: null,
  };
  const facts: PilotFacts = {
    schema_version: 1,
    name: id,
    label: `ray:${id}@n1`,
    state,
    error: message === undefined ? null : { code: "environment_broken", message },
    process,
    environment: null,
  };
  return { name: id, facts, slot: 0, lost: undefined };
}
