/** Every fault of Python, through a real worker: a clear error, and no process left. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ErrorEnvelope } from "../../src/contract/generated/types.ts";
import { Transport, type TransportOptions } from "../../src/worker/transport.ts";
import { type MarkedProcesses, markProcesses, until, untilNone } from "../helpers/processes.ts";
import { faultsFolder, testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("bridge");
const logFile = join(folder, "worker.log");
let warm: Transport;

/** A limit for calls that end on their own; the children that they start sleep far longer. */
const limitMs = 120_000;

const options = (changes: Partial<TransportOptions> = {}): TransportOptions => ({
  python: testPython(),
  logFile,
  module: "bridge_faults",
  extraModulePath: [faultsFolder],
  ...changes,
});

/** A worker that the test will end. */
async function startWorker(): Promise<{ transport: Transport; processes: MarkedProcesses }> {
  const processes = markProcesses();
  const transport = await Transport.start(options({ env: processes.env }));
  return { transport, processes };
}

beforeAll(async () => {
  warm = await Transport.start(options());
});

afterAll(() => warm.kill());

const callJson = async (method: string, params: object = {}): Promise<unknown> =>
  JSON.parse(await warm.call(method, JSON.stringify(params)));

test.each([
  ["fail", "internal", /^ValueError: seven is too many ☃$/],
  ["sys_exit", "internal", /sys\.exit\('enough'\)/],
  ["nan", "contract_violation", /result\.rows\[1\]\.loss is not a finite number/],
  ["out_of_memory", "out_of_memory", /memory/],
  ["missing_package", "package_missing", /no_such_package.*cliprpn doctor/],
])("%s returns an error, and the worker survives", async (method, code, message) => {
  const reply = (await callJson(method)) as ErrorEnvelope;
  expect(reply.status).toBe("error");
  expect(reply.error.code).toBe(code);
  expect(reply.error.message).toMatch(message);
  expect(reply.traceback).toMatch(/^Traceback[\s\S]*line \d+/);
  expect(await callJson("echo", { still: "alive" })).toEqual({ status: "ok", value: { still: "alive" } });
});

test("integers, text and large results arrive unchanged", async () => {
  const params = {
    small: -1,
    large: 2 ** 53 - 1,
    text: 'snow \u2603 "quoted"\nline \u0000',
    list: [],
    deep: { a: [null] },
  };
  expect(await callJson("echo", params)).toEqual({ status: "ok", value: params });
  const text = await warm.call("large", "{}");
  expect(text.length).toBeGreaterThan(5_000_000);
  expect(JSON.parse(text).value.rows.at(-1)).toBe(699_999);
});

test("events arrive in order and while the call runs", async () => {
  const seen = join(folder, "seen");
  const done: number[] = [];
  await warm.call("events", JSON.stringify({ seen_file: seen }), {
    onEvent: (text) => {
      done.push(JSON.parse(text).done);
      writeFileSync(seen, "x", { flag: "a" }); // Python waits for it: a late event would time out.
    },
    timeoutMs: limitMs,
  });
  expect(done).toEqual(Array.from({ length: 100 }, (_, number) => number));
});

test("20 MB of prints go to the log of the call and do not block it", async () => {
  const callLog = join(folder, "call.log");
  await warm.call("chatter", "{}", { logFile: callLog, timeoutMs: limitMs });
  await warm.call("echo", "{}", { logFile });
  await until(() => statSync(callLog).size + statSync(logFile).size >= 20_480_000);
  expect(statSync(callLog).size).toBeGreaterThan(20_000_000);
});

test("prints into a log that is not writable do not block a call", async () => {
  await warm.call("chatter", "{}", { logFile: "/dev/full", timeoutMs: limitMs });
  await warm.call("chatter", "{}", { logFile: join(folder, "no/such/folder"), timeoutMs: limitMs });
  await warm.call("echo", "{}", { logFile });
});

test("a call stops on request, and the worker survives", async () => {
  const reply = warm.call("sleep", "{}", { onEvent: () => warm.askToStop() });
  expect(JSON.parse(await reply).error.code).toBe("interrupted");
  expect(await callJson("echo")).toEqual({ status: "ok", value: {} });
});

test("a stop request before a call stops that call", async () => {
  warm.askToStop();
  expect(await callJson("sleep")).toMatchObject({ error: { code: "interrupted" } });
});

test("a second call at the same time is refused", async () => {
  const first = warm.call("echo", "{}");
  await expect(warm.call("echo", "{}")).rejects.toMatchObject({ code: "internal" });
  await first;
});

test("processes made by multiprocessing's spawn work", async () => {
  expect(await callJson("spawn")).toEqual({ status: "ok", value: { squares: [1, 4, 9], channel: null } });
});

test("a multiprocessing pool can end its busy processes", async () => {
  expect(JSON.parse(await warm.call("end_pool", "{}", { timeoutMs: limitMs })).status).toBe("ok");
});

test("SIGTERM, SIGINT and SIGHUP to all processes of a job, as clusters send them, are left to the owner", async () => {
  const { transport, processes } = await startWorker();
  const call = transport.call("sleep", '{"seconds": 0.5}', {
    onEvent: () => {
      for (const line of processes.running())
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
          process.kill(Number.parseInt(line, 10), signal);
    },
  });
  expect(JSON.parse(await call).status).toBe("ok");
  await transport.kill();
  await untilNone(processes);
});

test.each([
  ["leave", "worker_died", /\bcode 7\b/],
  ["crash", "worker_died", /SIGSEGV/],
  ["kill_self", "worker_killed", /SIGKILL.*memory ran out.* of memory are free/],
  ["cross", "worker_died", /raised an error across the bridge/],
])("%s ends the call with %s, and no process is left", async (method, code, reason) => {
  const { transport, processes } = await startWorker();
  const call = transport.call(method, "{}");
  await expect(call).rejects.toMatchObject({ code });
  await expect(call).rejects.toThrow(reason);
  await expect(call).rejects.toThrow(logFile);
  expect(transport.alive).toBe(false);
  await untilNone(processes);
  await expect(transport.call("echo", "{}")).rejects.toMatchObject({ code });
  await transport.kill();
});

test("a crash leaves its last output and its stack in the log", async () => {
  const { transport } = await startWorker();
  const callLog = join(folder, "crash.log");
  await expect(transport.call("crash", "{}", { logFile: callLog })).rejects.toThrow(callLog);
  await transport.kill();
  expect(readFileSync(callLog, "utf8")).toMatch(/last words[\s\S]*Segmentation fault[\s\S]*in crash/);
});

test.each([
  "worker",
  "python",
] as const)("SIGKILL of the %s during a call ends all of its children", async (which) => {
  const { transport, processes } = await startWorker();
  const call = transport.call("spawn_and_hang", "{}", {
    onEvent: () => process.kill(transport.pids[which] ?? 0, "SIGKILL"),
  });
  await expect(call).rejects.toMatchObject({ code: "worker_killed" });
  await untilNone(processes);
  await transport.kill();
});

test("a timeout ends the call and its processes, even one that ignores stop requests", async () => {
  const { transport, processes } = await startWorker();
  const call = transport.call("sleep", '{"deaf": true}', { timeoutMs: 300 });
  await expect(call).rejects.toMatchObject({ code: "timed_out" });
  await expect(call).rejects.toThrow(/sleep.*0\.3 s/);
  await untilNone(processes);
  await transport.kill();
});

test("a timeout longer than Node's longest timer is no timeout", async () => {
  expect(JSON.parse(await warm.call("sleep", '{"seconds": 0.1}', { timeoutMs: 1e10 })).status).toBe("ok");
});

test("an error in the event handler ends the call and the worker, not this process", async () => {
  const { transport, processes } = await startWorker();
  const call = transport.call("sleep", "{}", {
    onEvent: () => {
      throw new Error("no room");
    },
  });
  await expect(call).rejects.toThrow("no room");
  await untilNone(processes);
  await transport.kill();
});

test("stopping a dead worker, and killing it twice, is no error", async () => {
  const { transport } = await startWorker();
  await transport.kill();
  transport.askToStop();
  await transport.kill();
});

function program(name: string, text: string, mode = 0o755): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

test.each([
  ["absent", () => join(folder, "no/such/python"), /could not be started.*ENOENT/],
  ["below a file", () => join(logFile, "python"), /could not run|could not be started/],
  ["not executable", () => program("plain.txt", "hello", 0o644), /could not be started.*EACCES/],
  ["not Python", () => program("ls", "#!/bin/sh\nexit 3"), /\bcode 3\b/],
  ["not a program", () => program("junk", "\u0001\u0002"), /Python (exited|was killed)|could not/],
])("an interpreter that is %s is a clear error, and no process is left", async (_what, python, reason) => {
  const processes = markProcesses();
  const start = Transport.start(options({ python: python(), env: processes.env }));
  await expect(start).rejects.toMatchObject({ code: "worker_died" });
  await expect(start).rejects.toThrow(reason);
  await untilNone(processes);
});

test("an interpreter that does not respond times out", async () => {
  const processes = markProcesses();
  const python = program("silent", "#!/bin/sh\nsleep 3600");
  const start = Transport.start(options({ python, env: processes.env, startTimeoutMs: 1000 }));
  await expect(start).rejects.toMatchObject({ code: "timed_out" });
  await untilNone(processes);
});

test("a missing module is a clear error, with the traceback in the log", async () => {
  const startLog = join(folder, "module.log");
  const start = Transport.start(options({ module: "no_such_module", logFile: startLog }));
  await expect(start).rejects.toThrow(/could not run no_such_module/);
  expect(readFileSync(startLog, "utf8")).toContain("No module named 'no_such_module'");
});

test("an interrupted start ends immediately and leaves no process", async () => {
  const processes = markProcesses();
  const controller = new AbortController();
  const python = program("slow", `#!/bin/sh\ntouch ${folder}/started\nsleep 3600`);
  const start = Transport.start(options({ python, env: processes.env, signal: controller.signal }));
  const rejection = expect(start).rejects.toThrow(/interrupted/);
  await until(() => existsSync(join(folder, "started")));
  controller.abort();
  await rejection;
  await untilNone(processes);
});
