/** Programs on the PATH that do not run are reported with the reason, not as missing. */
import { expect, test } from "vitest";
import { findPython, findUv } from "../../src/environment/find-tools.ts";
import { fakeMachine, type Machine } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

/** A machine on which `python3` is this script, and no other Python is installed. */
function machineWith(script: string): Machine {
  const machine = fakeMachine();
  machine.install("python3.11", script); // python3 is a link to it.
  return machine;
}

test("a Python that fails is named with the end of its output", async () => {
  const { env } = machineWith("echo 'symbol lookup error: libpython' >&2; exit 3");
  await expect(findPython({ env })).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining(
      "python3 (exit code 3: symbol lookup error: libpython), python3.11 (exit",
    ),
  });
});

test("a Python that hangs is named after the limit", async () => {
  const { env } = machineWith("sleep 600");
  await expect(findPython({ env, timeoutMs: 300 })).rejects.toThrow(/found python3 \(no answer in time\)/);
});

test("without any Python, none is found", async () => {
  await expect(findPython({ env: { PATH: "/nonexistent" } })).rejects.toThrow(/found none/);
});

test("a uv that does not run is replaced, and the reason is shown", async () => {
  const machine = fakeMachine();
  machine.install("uv", "echo 'GLIBC_2.99 not found' >&2; exit 1");
  const terminal = recordingTerminal();
  const { env, cache, folder } = machine;
  await findUv(cache, `${folder}/bin/python3`, { env }, terminal).catch(() => undefined);
  expect(terminal.lines.join("\n")).toContain("uv does not run (exit code 1: GLIBC_2.99 not found)");
});
