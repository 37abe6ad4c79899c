import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { diagnose } from "../../src/environment/diagnose.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import type { StartedWorker, StartWorker } from "../../src/environment/worker-rows.ts";
import { fakeMachine, type Machine, writeInspection } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

test("on native Windows the platform row is broken and names WSL2", async () => {
  const { ok, rows } = await diagnose({ env: fakeMachine().env, platform: "win32" });
  expect(ok).toBe(false);
  expect(rows).toContainEqual({
    name: "platform",
    state: "broken",
    found: expect.stringContaining("win32"),
    how_to_fix: expect.stringContaining("WSL2"),
  });
});

test("a package that cannot be imported is a broken row with the command that fixes it; other rows stay ok", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, {
    torchvision: { version: null, error: "RuntimeError: built for another torch" },
  });
  const python = join(machine.folder, "bin/python3.11");
  const { ok, rows } = await diagnose({ env: machine.env, python });
  expect(ok).toBe(false);
  expect(rows.find(({ name }) => name === "torchvision")).toEqual({
    name: "torchvision",
    state: "broken",
    found: "RuntimeError: built for another torch",
    how_to_fix: `${python} -m pip install --upgrade "torchvision"`,
  });
  expect(rows.find(({ name }) => name === "torch")).toMatchObject({ state: "ok", found: "2.14.1" });
  expect(existsSync(machine.cache)).toBe(false);
});

test("a missing uv is no problem, a missing Python is one", async () => {
  const machine = fakeMachine();
  const env = { ...machine.env, PATH: join(machine.folder, "nothing") };
  const { rows } = await diagnose({ env });
  expect(rows.find(({ name }) => name === "uv")).toMatchObject({ state: "ok" });
  expect(rows.find(({ name }) => name === "Python")).toMatchObject({
    state: "missing",
    how_to_fix: expect.stringContaining("3.10"),
  });
});

/** A machine whose environment is built, and whose Python fails when a variable has a value, as with foreign libraries. */
async function machineThatFailsWith(variable: string): Promise<Machine> {
  const machine = fakeMachine();
  const { env, lockDir } = machine;
  await ensureEnvironment({ name: "runtime", terminal: recordingTerminal(), env, lockDir });
  const python = join(machine.folder, "bin/python3.11");
  const script = readFileSync(python, "utf8").replace("#!/bin/sh\n", "");
  machine.install(
    "python3.11",
    `if [ "$${variable}" = foreign ]; then echo "ImportError: libc10.so" >&2; exit 1; fi\n${script}`,
  );
  return machine;
}

test.each([
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
])("an environment that works without %s is not to be deleted: the variable is named", async (variable) => {
  const machine = await machineThatFailsWith(variable);
  const env = { ...machine.env, [variable]: "foreign" };
  const { rows } = await diagnose({ env, lockDir: machine.lockDir });
  expect(rows.find(({ name }) => name === "Python packages")).toMatchObject({
    state: "broken",
    found: expect.stringContaining("libc10.so"),
    how_to_fix: expect.stringMatching(new RegExp(`^unset ${variable}:`)),
  });
});

test("an environment that works without none of the variables is built again", async () => {
  const machine = await machineThatFailsWith("HOME");
  const env = { ...machine.env, HOME: "foreign", LD_LIBRARY_PATH: "/opt/lib" };
  const { rows } = await diagnose({ env, lockDir: machine.lockDir });
  expect(rows.find(({ name }) => name === "Python packages")?.how_to_fix).toMatch(/^rm -r .*cliprpn setup$/);
});

const worker = (changes: Partial<StartedWorker>): StartWorker => {
  return async () => ({
    device: "cpu",
    checkExtra: async () => undefined,
    close: async () => undefined,
    ...changes,
  });
};

test("a worker is started, and every installed extra runs in it", async () => {
  const { env, folder } = fakeMachine();
  const checked: string[] = [];
  const startWorker = worker({ checkExtra: async (name) => void checked.push(name) });
  const { ok, rows } = await diagnose({ env, python: join(folder, "bin/python3.11"), startWorker });
  expect(ok).toBe(true);
  expect(rows.find(({ name }) => name === "worker")).toMatchObject({ found: expect.stringContaining("cpu") });
  expect(checked).toEqual(["onnx", "yolo"]);
});

test("an extra that can be imported and does not run is a broken row", async () => {
  const { env, folder } = fakeMachine();
  const startWorker = worker({
    checkExtra: async (name) => {
      if (name === "onnx") throw new CliprpnError("environment_broken", "illegal instruction");
    },
  });
  const { rows } = await diagnose({ env, python: join(folder, "bin/python3.11"), startWorker });
  expect(rows.find(({ name }) => name === "run onnx")).toMatchObject({
    state: "broken",
    found: "illegal instruction",
  });
  expect(rows.find(({ name }) => name === "run yolo")?.state).toBe("ok");
});

test("a worker that starts only without PYTHONPATH is broken, and the variable is named", async () => {
  const { env, folder } = fakeMachine();
  const startWorker: StartWorker = async (_, run) => {
    if (run.env.PYTHONPATH) throw new CliprpnError("environment_broken", "shadowed");
    return worker({})("", run);
  };
  const withPath = { ...env, PYTHONPATH: "/opt/ros" };
  const { ok, rows } = await diagnose({ env: withPath, python: join(folder, "bin/python3.11"), startWorker });
  expect(ok).toBe(false);
  expect(rows.find(({ name }) => name === "worker")).toMatchObject({
    state: "broken",
    how_to_fix: expect.stringMatching(/^unset PYTHONPATH:/),
  });
});
