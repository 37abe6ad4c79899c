import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diagnose } from "../../src/environment/diagnose.ts";
import { fakeMachine, writeInspection } from "../helpers/fake-tools.ts";

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
