import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Environment, ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { askPython } from "../../src/environment/inspect-python.ts";
import { fakeMachine, type Machine, writeInspection } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

function check(python: string, { env }: Machine): Promise<Environment> {
  return ensureEnvironment({ name: "runtime", terminal: recordingTerminal(), env, python });
}

test("an interpreter that has all packages is used, and nothing is built", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  await expect(check(python, machine)).resolves.toMatchObject({ kind: "user", python });
  expect(machine.calls()).toEqual([]);
});

test("CLIPRPN_PYTHON is used without --python", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  const env = { ...machine.env, CLIPRPN_PYTHON: python };
  await expect(check("", { ...machine, env })).resolves.toMatchObject({ kind: "user", python });
});

test("the full check runs once per set of package versions", async () => {
  const machine = fakeMachine();
  const python = join(machine.folder, "bin/python3.11");
  const checks = (): number =>
    readFileSync(join(machine.folder, "inspections"), "utf8").split("\n").length - 1;
  await check(python, machine);
  await check(python, machine);
  expect(checks()).toBe(1);
  writeInspection(machine.folder, { torch: { version: "2.15.0", error: null } });
  await check(python, machine);
  expect(checks()).toBe(2);
});

test("all missing packages are reported at once, with the command that installs them", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, {
    torch: { version: "2.9.0", error: null },
    torchvision: { version: null, error: "RuntimeError: operator torchvision::nms does not exist" },
    open_clip: { version: null, error: "ModuleNotFoundError: No module named 'open_clip'" },
  });
  const python = join(machine.folder, "bin/python3.11");
  await expect(check(python, machine)).rejects.toMatchObject({
    code: "package_missing",
    message: expect.stringMatching(
      /torch: expected >= 2\.11, found 2\.9\.0\n.*torchvision: RuntimeError.*\n.*open_clip: ModuleNotFound.*\n.*-m pip install --upgrade "torch>=2\.11" "torchvision" "open_clip_torch/,
    ),
  });
  // The result is not remembered as a success.
  await expect(check(python, machine)).rejects.toMatchObject({ code: "package_missing" });
});

test("a numbers.py in the current folder does not shadow Python's module", async () => {
  const { folder } = fakeMachine();
  writeFileSync(join(folder, "numbers.py"), "raise SystemExit(3)");
  const source = "import json, numbers; print(json.dumps({'module': numbers.__name__}))";
  const answer = await askPython("python3", source, [], { env: process.env, cwd: folder });
  expect(JSON.parse(answer)).toEqual({ module: "numbers" });
});

test("an old Python is reported by its version, not by a list of missing packages", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, { torch: { version: null, error: "SyntaxError" } }, "3.8.18");
  await expect(check(join(machine.folder, "bin/python3.11"), machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringMatching(/>= 3\.10,.* 3\.8\.18/),
  });
});

test.each<[what: string, make: (machine: Machine) => string, reason: string]>([
  ["a file that does not exist", ({ folder }) => join(folder, "nowhere/python"), "no such file"],
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
    "a program that is not Python",
    ({ folder, install }) => {
      install("ruby", "echo 'ruby: no such switch' >&2; exit 1");
      return join(folder, "bin/ruby");
    },
    "ruby: no such switch",
  ],
  [
    "a Python that crashes",
    ({ folder, install }) => {
      install("crashing", "echo 'free(): invalid pointer' >&2; kill -SEGV $$");
      return join(folder, "bin/crashing");
    },
    "it crashed (SIGSEGV): free(): invalid pointer",
  ],
])("%s is refused with the reason", async (_what, make, reason) => {
  const machine = fakeMachine();
  await expect(check(make(machine), machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining(reason),
  });
});

const realPython = process.env.CLIPRPN_TEST_PYTHON;

test.skipIf(realPython === undefined)(
  "a real interpreter passes, and the second check imports no torch",
  async () => {
    const machine = fakeMachine();
    rmSync(join(machine.folder, "bin"), { recursive: true });
    const env = { ...process.env, CLIPRPN_CACHE: machine.cache };
    const environment = await check(realPython ?? "", { ...machine, env });
    writeFileSync(join(machine.folder, "torch.py"), "raise SystemExit(3)");
    const brokenTorch = { ...env, PYTHONPATH: machine.folder };
    expect(await check(realPython ?? "", { ...machine, env: brokenTorch })).toEqual(environment);
    const newCache = { ...brokenTorch, CLIPRPN_CACHE: join(machine.folder, "cache-2") };
    await expect(check(realPython ?? "", { ...machine, env: newCache })).rejects.toMatchObject({
      code: "python_unsuitable",
    });
  },
);
