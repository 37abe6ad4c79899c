import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/base/package-root.ts";
import { checkMessage, problems } from "../../src/contract/check.ts";
import { exitCodeOf } from "../../src/contract/errors.ts";
import { type BridgeMethods, type ErrorCode, schema_sha256 } from "../../src/contract/generated/types.ts";
import { bridgeMethods, examplesOf } from "../helpers/contract-examples.ts";
import { testPython } from "../helpers/python.ts";

interface Instance {
  name: string;
  value: unknown;
  accepted: boolean;
}

/** What crosses outside of a method's ends; a trial's outcome is what `run_trial` gives. */
const types = ["TrialSpec", "TrialEvent", "Envelope"] as const;

/** Every example, and everything that differs from one in a single place; with what TypeScript says of it. */
const instances: Instance[] = [
  ...types.flatMap((name) => judged(name, (value) => problems(name, value).length === 0)),
  ...bridgeMethods().flatMap(({ method, params, result }) => [
    ...judged(
      params,
      (value) => !refuses(() => checkMessage(method as keyof BridgeMethods, "params", value)),
    ),
    ...judged(
      result,
      (value) => !refuses(() => checkMessage(method as keyof BridgeMethods, "result", value)),
    ),
  ]),
];
let python: boolean[] = [];

beforeAll(() => {
  const lines = instances.map(({ name, value }) => JSON.stringify({ name, value })).join("\n");
  const output = runPython([join(packageRoot, "test/helpers/accepts.py")], lines);
  python = JSON.parse(output);
});

describe.each([...new Set(instances.map(({ name }) => name))])("%s", (name) => {
  test("TypeScript and Python accept and refuse the same", () => {
    const differing = instances.flatMap((instance, index) =>
      instance.name === name && instance.accepted !== python[index] && !hasRepeated(instance.value)
        ? [
            `${instance.accepted ? "only TypeScript" : "only Python"} accepts ${JSON.stringify(instance.value)}`,
          ]
        : [],
    );
    expect(differing).toEqual([]);
  });

  test("each example is accepted", () => {
    for (const value of examplesOf(name))
      expect(
        instances.find((one) => one.name === name && JSON.stringify(one.value) === JSON.stringify(value))
          ?.accepted,
      ).toBe(true);
  });

  test("some are accepted, and some are refused", () => {
    const said = new Set(
      instances.flatMap((instance, index) => (instance.name === name ? [python[index]] : [])),
    );
    expect([...said].sort()).toEqual([false, true]);
  });
});

test("both sides carry the hash of the schemas", () => {
  const code = "from cliprpn.contract.generated import SCHEMA_SHA256; print(SCHEMA_SHA256)";
  expect(runPython(["-c", code]).trim()).toBe(schema_sha256);
});

test("both sides know the same error codes, and each ends the process with a code of its own meaning", () => {
  const code = `import json, typing
from cliprpn.contract.generated import ErrorInfo
print(json.dumps(typing.get_args(ErrorInfo.model_fields["code"].annotation)))`;
  const codes: ErrorCode[] = JSON.parse(
    readFileSync(join(packageRoot, "src/contract/schema/error-codes.schema.json"), "utf8"),
  ).enum;
  expect(JSON.parse(runPython(["-c", code]))).toEqual(codes);
  for (const known of codes) expect([1, 2, 3, 4, 130]).toContain(exitCodeOf(known));
});

test("Python raises no code that the contract does not know", () => {
  const codes = new Set(
    JSON.parse(readFileSync(join(packageRoot, "src/contract/schema/error-codes.schema.json"), "utf8")).enum,
  );
  const code = `import pathlib, re
for file in pathlib.Path("python/cliprpn").rglob("*.py"):
    for raised in re.findall(r'CliprpnError\\(\\s*"(\\w+)"', file.read_text()):
        print(raised)`;
  const raised = new Set(runPython(["-c", code]).trim().split("\n"));
  expect(raised.size).toBeGreaterThan(5);
  expect([...raised].filter((name) => !codes.has(name))).toEqual([]);
});

function runPython(args: string[], input = ""): string {
  return execFileSync(testPython(), args, {
    input,
    encoding: "utf8",
    cwd: packageRoot,
    env: { ...process.env, PYTHONPATH: join(packageRoot, "python") },
    maxBuffer: 1e8,
  });
}

function refuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

function judged(name: string, accepts: (value: unknown) => boolean): Instance[] {
  const values = withVariants(examplesOf(name));
  return values.map((value) => ({ name, value, accepted: accepts(value) }));
}

function withVariants(values: unknown[]): unknown[] {
  const all = values.flatMap((value) => [value, ...variants(value)]);
  return [...new Map(all.map((value) => [JSON.stringify(value), value])).values()];
}

/** The value with one thing changed: a key gone or new, or any value in it replaced by another kind or size. */
function variants(value: unknown): unknown[] {
  const swapped: unknown[] = [null, "x", "", -1, 0.5, 1e12, true, [], {}];
  if (Array.isArray(value))
    return [
      ...swapped,
      ...value.flatMap((item, index) => variants(item).map((other) => value.with(index, other))),
    ];
  if (typeof value !== "object" || value === null) return swapped;
  const entries = Object.entries(value);
  return [
    ...swapped,
    { ...value, unknown_key: 1 },
    ...entries.map(([key]) => Object.fromEntries(entries.filter(([other]) => other !== key))),
    ...entries.flatMap(([key, item]) => variants(item).map((other) => ({ ...value, [key]: other }))),
  ];
}

/** `uniqueItems` is TypeScript's alone to check: no model of pydantic says it. */
function hasRepeated(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const inner = Object.values(value);
  if (Array.isArray(value) && new Set(inner.map((item) => JSON.stringify(item))).size < inner.length)
    return true;
  return inner.some(hasRepeated);
}
