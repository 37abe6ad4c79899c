import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureRuntime, type Runtime } from "../../src/environment/ensure-runtime.ts";
import { askPython } from "../../src/environment/inspect-python.ts";
import { fakeMachine, type Machine, writeInspection } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

function use(python: string, { env }: Machine): Promise<Runtime> {
  return ensureRuntime({ environment: "runtime", terminal: recordingTerminal(), env, python });
}

test("an interpreter that has all is used, and nothing is built", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  await expect(use(python, machine)).resolves.toMatchObject({ kind: "own", python });
  expect(machine.calls()).toEqual([]);
});

test("CLIPRPN_PYTHON stands for --python", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  const env = { ...machine.env, CLIPRPN_PYTHON: python };
  await expect(use("", { ...machine, env })).resolves.toMatchObject({ kind: "own", python });
});

test("the full check is made once for a set of versions, and again for another", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  const checks = (): number =>
    readFileSync(join(machine.folder, "inspections"), "utf8").split("\n").length - 1;
  const { key } = await use(python, machine);
  expect((await use(python, machine)).key).toBe(key);
  expect(checks()).toBe(1);
  writeInspection(machine.folder, { torch: { version: "2.15.0", error: null } });
  expect((await use(python, machine)).key).not.toBe(key);
  expect(checks()).toBe(2);
});

test("everything that is missing is told at once, with the command that installs it", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, {
    torch: { version: "2.9.0", error: null },
    torchvision: { version: null, error: "RuntimeError: operator torchvision::nms does not exist" },
    open_clip: { version: null, error: "ModuleNotFoundError: No module named 'open_clip'" },
  });
  const python = join(machine.folder, "bin/python3.11");
  await expect(use(python, machine)).rejects.toMatchObject({
    code: "package_missing",
    message: expect.stringMatching(
      /torch: expected >= 2\.11, found 2\.9\.0\n.*torchvision: RuntimeError.*\n.*open_clip: ModuleNotFound.*\n.*-m pip install --upgrade "torch>=2\.11" "torchvision" "open_clip_torch/,
    ),
  });
  expect(existsSync(join(machine.cache, "own-python"))).toBe(false);
});

test("a person's numbers.py does not stand in for Python's own", async () => {
  const { folder } = fakeMachine();
  writeFileSync(join(folder, "numbers.py"), "raise SystemExit(3)");
  const source = "import json, numbers; print(json.dumps({'found': numbers.__name__}))";
  const said = await askPython("python3", source, [], { env: process.env, cwd: folder });
  expect(JSON.parse(said)).toEqual({ found: "numbers" });
});

test("an old Python is told as such, not as a list of missing packages", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, { torch: { version: null, error: "SyntaxError" } }, "3.8.18");
  await expect(use(join(machine.folder, "bin/python3.11"), machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining("expected >= 3.10, found 3.8.18"),
  });
});

test.each<[string, (machine: Machine) => string, string]>([
  ["a file that is not there", ({ folder }) => join(folder, "nowhere/python"), "there is no such file"],
  [
    "a virtual environment's folder",
    ({ folder, install }) => {
      mkdirSync(join(folder, "bin/bin"));
      install("bin/python", "");
      return join(folder, "bin");
    },
    "did you mean",
  ],
  ["a name that is not on the PATH", () => "python9", "no such program on the PATH"],
  [
    "a program that is no Python",
    ({ folder, install }) => {
      install("ruby", "echo 'ruby: no such switch' >&2; exit 1");
      return join(folder, "bin/ruby");
    },
    "ruby: no such switch",
  ],
  [
    "a Python that crashes",
    ({ folder, install }) => {
      install("crashing", "kill -SEGV $$");
      return join(folder, "bin/crashing");
    },
    "it crashed (SIGSEGV)",
  ],
])("%s", async (_what, make, told) => {
  const machine = fakeMachine();
  await expect(use(make(machine), machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining(told),
  });
});

const real = process.env.CLIPRPN_TEST_PYTHON;

test.skipIf(real === undefined)(
  "a real interpreter passes, and quickly the second time",
  async () => {
    const machine = fakeMachine();
    rmSync(join(machine.folder, "bin"), { recursive: true });
    const env = { ...process.env, CLIPRPN_CACHE: machine.cache };
    const first = await use(real ?? "", { ...machine, env });
    const started = performance.now();
    expect(await use(real ?? "", { ...machine, env })).toEqual(first);
    expect(performance.now() - started).toBeLessThan(3000); // Importing torch takes longer than this.
  },
  120_000,
);
