/** `setup` and `doctor` as processes: signals, exit codes and a real uv. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { syncCommands } from "../../src/environment/build-environment.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { ensureExtras } from "../../src/environment/ensure-extras.ts";
import { inspectPython } from "../../src/environment/inspect-python.ts";
import { withoutTorch } from "../../src/environment/locked-packages.ts";
import { toolError } from "../../src/environment/tool-error.ts";
import { packageRoot } from "../../src/package-root.ts";
import type { CommandResult } from "../helpers/cli.ts";
import { fakeLock, fakeMachine, installOnceWaited, type Machine } from "../helpers/fake-tools.ts";
import { isRunning, until } from "../helpers/processes.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { addOtherBuild, makeTinyExtra, makeTinyIndex } from "../helpers/tiny-index.ts";

/** Started by Node itself, as the PATH of these machines has no node. */
const cli = join(packageRoot, "bin/cliprpn.js");

function start(args: string[], { env }: Machine): ChildProcess {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: packageRoot,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr?.resume();
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function run(args: string[], { env }: Machine): CommandResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: packageRoot,
    env,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

/** A machine whose uv is in the middle of a download and has a child process. */
async function duringDownload(
  args: string[],
  machine = fakeMachine(),
): Promise<{ machine: Machine; child: ChildProcess; pids: number[] }> {
  machine.onSync(
    'sleep 600 & echo "$$ $!" > "$MACHINE/pids.new"; cp "$MACHINE/pids.new" "$MACHINE/pids"; wait',
  );
  const child = start(args, machine);
  await until(() => existsSync(join(machine.folder, "pids")) && text(machine).split(" ").length === 2);
  return { machine, child, pids: text(machine).split(" ").map(Number) };
}

function text({ folder }: Machine): string {
  return readFileSync(join(folder, "pids"), "utf8").trim();
}

test("Ctrl-C during setup: exit code 130, no process left", async () => {
  const { child, pids } = await duringDownload(["setup"]);
  const code = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  expect(await code).toBe(130);
  await until(() => !pids.some(isRunning));
});

test("SIGKILL during setup: no process left, and the same command succeeds", async () => {
  const { machine, child, pids } = await duringDownload(["setup"]);
  child.kill("SIGKILL");
  await until(() => !pids.some(isRunning));

  machine.onSync("");
  const { code, out } = run(["setup"], machine);
  expect(code).toBe(0);
  expect(existsSync(out.trim())).toBe(true);
});

test("SIGKILL while an extra is installed: no process left, and the same command succeeds", async () => {
  const fresh = fakeMachine();
  const python = run(["setup"], fresh).out.trim();
  const { machine, child, pids } = await duringDownload(["setup", "--extra", "yolo"], fresh);
  child.kill("SIGKILL");
  await until(() => !pids.some(isRunning));
  const folder = dirname(dirname(python));
  const site = join(folder, "lib/python3.11/site-packages");
  expect(readdirSync(site)).toEqual([]);

  machine.onSync("");
  expect(run(["setup", "--extra", "yolo", "--extra", "onnx"], machine)).toMatchObject({
    code: 0,
    out: `${python}\n`,
    err: expect.stringContaining("AGPL-3.0"),
  });
  expect(readdirSync(site)).toEqual(["cliprpn-extra-yolo.pth"]);
  expect(machine.calls().filter((call) => call.startsWith("uv venv"))).toHaveLength(1);
});

test("two `setup` processes at once: both succeed, one builds", async () => {
  const machine = fakeMachine();
  const { printedWait } = installOnceWaited(machine);
  const codes = await Promise.all(
    [0, 1].map(() => {
      const child = start(["setup"], machine);
      child.stderr?.on("data", (text) => String(text).includes("waiting for it") && printedWait());
      return new Promise((resolve) => child.once("exit", resolve));
    }),
  );
  expect(codes).toEqual([0, 0]);
  expect(machine.calls().filter((call) => call.startsWith("uv venv"))).toHaveLength(1);
});

test("errors of setup end with exit code 4, those of the command line with 2", () => {
  const machine = fakeMachine();
  machine.onSync("echo 'error: dns error' >&2; exit 2");
  const offline = run(["setup"], machine);
  expect(offline.code).toBe(4);
  expect(offline.err).toContain("HTTPS_PROXY");
  expect(offline.err).not.toMatch(/^\s+at /m);
  expect(run(["setup", "--torch-backend", "no such"], machine).code).toBe(2);
  expect(run(["setup", "--extra", "torch"], machine)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--extra: .*"onnx", "ray", "yolo".*"torch"/),
  });
  expect(run(["setup", "--torch-backend", "cpu", "--python", "python3"], machine).code).toBe(2);
});

test("later commands use the chosen torch", () => {
  const machine = fakeMachine();
  const chosen = run(["setup", "--torch-backend", "cpu"], machine).out;
  expect(run(["setup"], machine).out).toBe(chosen);
  expect(run(["setup", "--torch-backend", "lock"], machine).out).not.toBe(chosen);
});

test("doctor: exit code 4 and the fix before setup; after it, only the worker, which a fake Python cannot run; it builds nothing", () => {
  const machine = fakeMachine();
  const before = run(["doctor", "--json"], machine);
  expect(before.code).toBe(4);
  const row = (output: string, name: string): unknown =>
    JSON.parse(output).rows.find((candidate: { name: string }) => candidate.name === name);
  expect(row(before.out, "Python packages")).toMatchObject({
    state: "missing",
    how_to_fix: expect.stringContaining("cliprpn setup"),
  });
  expect(existsSync(machine.cache)).toBe(false);
  expect(machine.calls()).toEqual([]);

  expect(run(["setup"], machine).code).toBe(0);
  const after = run(["doctor", "--json"], machine);
  const broken = JSON.parse(after.out).rows.filter(({ state }: { state: string }) => state === "broken");
  expect(broken.map(({ name }: { name: string }) => name)).toEqual(["worker"]);
  expect(row(after.out, "torch")).toMatchObject({ state: "ok", found: "2.14.1", how_to_fix: "" });
  expect(row(after.out, "devices")).toMatchObject({ found: "cpu" });
});

test("doctor shows what is wrong with the user's interpreter", () => {
  const machine = fakeMachine();
  const { code, out } = run(["doctor", "--python", join(machine.folder, "nowhere/python")], machine);
  expect(code).toBe(4);
  expect(out).toMatch(/broken +your Python .*no such file/);
});

const realPython = process.env.CLIPRPN_TEST_PYTHON ?? "python3";
const hasRealUv = /^uv \d/.test(spawnSync("uv", ["--version"], { encoding: "utf8" }).stdout ?? "");

test.skipIf(!hasRealUv)(
  "with a real uv: built from a folder and verified by hash, found again, and another build refused",
  async () => {
    const machine = fakeMachine();
    const wheels = join(machine.folder, "wheels");
    mkdirSync(wheels);
    makeTinyIndex(realPython, wheels, join(machine.lockDir, "runtime.txt"));
    const uvCache = join(machine.folder, "uv-cache");
    const env = {
      ...process.env,
      CLIPRPN_CACHE: machine.cache,
      CLIPRPN_PYTHON: "",
      UV_CACHE_DIR: uvCache,
      UV_NO_INDEX: "1",
      UV_FIND_LINKS: wheels,
    };
    const options = { name: "runtime" as const, lockDir: machine.lockDir };
    const environment = await ensureEnvironment({ ...options, env, terminal: recordingTerminal() });
    const inspection = await inspectPython(environment.python, { env });
    expect(inspection.packages.torch).toEqual({ version: "2.14.1", error: null });
    const quiet = recordingTerminal();
    expect(await ensureEnvironment({ ...options, env, terminal: quiet })).toEqual(environment);
    expect(quiet.lines).toEqual([]);

    addOtherBuild(realPython, wheels);
    const newCaches = {
      ...env,
      CLIPRPN_CACHE: join(machine.folder, "cache-2"),
      UV_CACHE_DIR: `${uvCache}-2`,
    };
    await expect(
      ensureEnvironment({ ...options, env: newCaches, terminal: recordingTerminal() }),
    ).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringContaining("UV_FIND_LINKS"),
    });
  },
);

test.skipIf(!hasRealUv)(
  "with a real uv: an extra is installed into a separate folder, and the environment's Python imports it",
  async () => {
    const machine = fakeMachine();
    const wheels = join(machine.folder, "wheels");
    mkdirSync(wheels);
    makeTinyIndex(realPython, wheels, join(machine.lockDir, "runtime.txt"));
    makeTinyExtra(realPython, wheels, join(machine.lockDir, "extra-onnx.txt"));
    const env = {
      ...process.env,
      CLIPRPN_CACHE: machine.cache,
      CLIPRPN_PYTHON: "",
      UV_CACHE_DIR: join(machine.folder, "uv-cache"),
      UV_NO_INDEX: "1",
      UV_FIND_LINKS: wheels,
    };
    const context = { env, lockDir: machine.lockDir, terminal: recordingTerminal() };
    const environment = await ensureEnvironment({ name: "runtime", ...context });
    const site = join(dirname(dirname(environment.python)), "lib");
    const files = (): string[] => readdirSync(site, { recursive: true, encoding: "utf8" });
    const before = files();
    await ensureExtras(environment, ["onnx"], context);
    const { packages } = await inspectPython(environment.python, { env }, { onnxruntime: "onnxruntime" });
    expect(packages.onnxruntime).toEqual({ version: "1.32.0", error: null });
    expect(files().filter((name) => !before.includes(name))).toEqual([
      expect.stringMatching(/site-packages\/cliprpn-extra-onnx\.pth$/),
    ]);
  },
);

test.skipIf(!hasRealUv)("the real uv accepts the commands for another torch", () => {
  const { folder } = fakeMachine();
  execFileSync("uv", ["venv", "--quiet", "--python", realPython, join(folder, "venv")]);
  const lockFile = join(folder, "lock.txt");
  writeFileSync(lockFile, withoutTorch(readFileSync(join(packageRoot, "env/runtime.txt"), "utf8")));
  const python = join(folder, "venv/bin/python");
  const env = { ...process.env, UV_OFFLINE: "1", UV_CACHE_DIR: join(folder, "uv-cache") };
  for (const command of syncCommands({ python, lock: fakeLock, lockFile, torchBackend: "cpu" })) {
    const { status, stderr } = spawnSync("uv", command, { env, encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(toolError("uv", stderr).code, stderr).toBe("no_network"); // It stopped only at the network, which is disabled here.
  }
});
