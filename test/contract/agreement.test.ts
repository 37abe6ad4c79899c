import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checkMessage, findSchemaErrors } from "../../src/contract/check.ts";
import { exitCodeOf } from "../../src/contract/errors.ts";
import { type BridgeMethods, type ErrorCode, schema_sha256 } from "../../src/contract/generated/types.ts";
import { packageRoot } from "../../src/package-root.ts";
import { bridgeMethods, examplesOf } from "../helpers/contract-examples.ts";
import { testPython } from "../helpers/python.ts";

interface Instance {
  name: string;
  value: unknown;
  accepted: boolean;
}

/** Types that cross the bridge outside of params and results. */
const types = ["WorkerEvent", "Envelope"] as const; // A WorkerEvent contains a TrialEvent, which Python has no name for.

/** Every example, and every variant that differs from it in one place; with the verdict of TypeScript. */
const instances: Instance[] = [
  ...types.flatMap((name) => judge(name, (value) => findSchemaErrors(name, value).length === 0)),
  ...bridgeMethods().flatMap(({ method, params, result }) => [
    ...judge(params, (value) => !rejects(() => checkMessage(method as keyof BridgeMethods, "params", value))),
    ...judge(result, (value) => !rejects(() => checkMessage(method as keyof BridgeMethods, "result", value))),
  ]),
];
let python: boolean[] = [];

beforeAll(() => {
  const lines = instances.map(({ name, value }) => JSON.stringify({ name, value })).join("\n");
  const output = runPython([join(packageRoot, "test/helpers/accepts.py")], lines);
  python = JSON.parse(output);
});

describe.each([...new Set(instances.map(({ name }) => name))])("%s", (name) => {
  test("TypeScript and Python accept the same values", () => {
    const differing = instances.flatMap((instance, index) =>
      instance.name === name && instance.accepted !== python[index] && !isOutOfScope(instance.value)
        ? [
            `${instance.accepted ? "only TypeScript" : "only Python"} accepts ${JSON.stringify(instance.value)}`,
          ]
        : [],
    );
    expect(differing).toEqual([]);
  });

  test("each example is accepted", () => {
    const accepted = new Set(
      instances.flatMap(({ name: other, value, accepted }) =>
        other === name && accepted ? [JSON.stringify(value)] : [],
      ),
    );
    expect(examplesOf(name).filter((value) => !accepted.has(JSON.stringify(value)))).toEqual([]);
  });

  test("some values are accepted, and some are rejected", () => {
    const verdicts = new Set(
      instances.flatMap((instance, index) => (instance.name === name ? [python[index]] : [])),
    );
    expect([...verdicts].sort()).toEqual([false, true]);
  });
});

test("both sides have the hash of the schemas", () => {
  const code = "from cliprpn.contract.generated import SCHEMA_SHA256; print(SCHEMA_SHA256)";
  expect(runPython(["-c", code]).trim()).toBe(schema_sha256);
});

test("both sides have the same error codes, and each maps to an exit code", () => {
  const code = `import json, typing
from cliprpn.contract.generated import ErrorInfo
print(json.dumps(typing.get_args(ErrorInfo.model_fields["code"].annotation)))`;
  const codes: ErrorCode[] = JSON.parse(
    readFileSync(join(packageRoot, "src/contract/schema/error-codes.schema.json"), "utf8"),
  ).enum;
  expect(JSON.parse(runPython(["-c", code]))).toEqual(codes);
  for (const errorCode of codes) expect([1, 2, 3, 4, 130]).toContain(exitCodeOf(errorCode));
});

test("Python raises only error codes of the contract", () => {
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

function rejects(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

function judge(name: string, accepts: (value: unknown) => boolean): Instance[] {
  const values = withVariants(examplesOf(name));
  return values.map((value) => ({ name, value, accepted: accepts(value) }));
}

function withVariants(values: unknown[]): unknown[] {
  const [first, ...others] = values;
  const all = [
    ...values,
    ...variants(first),
    ...others.flatMap((value) => variantsWhereDifferent(value, first)),
  ];
  return [...new Map(all.map((value) => [JSON.stringify(value), value])).values()];
}

/** Variants of the smallest part with all differences; the same changes elsewhere are variants of the other value. */
function variantsWhereDifferent(value: unknown, other: unknown): unknown[] {
  if (!isContainer(value) || !isContainer(other) || Array.isArray(value) !== Array.isArray(other))
    return variants(value);
  const others = new Map(Object.entries(other));
  const entries = Object.entries(value);
  if (entries.length !== others.size || entries.some(([key]) => !others.has(key))) return variants(value);
  const different = entries.filter(([key, item]) => JSON.stringify(item) !== JSON.stringify(others.get(key)));
  const [[key, item] = [], ...more] = different;
  if (key === undefined) return [];
  if (more.length > 0) return variants(value);
  return variantsWhereDifferent(item, others.get(key)).map((variant) =>
    Array.isArray(value) ? value.with(Number(key), variant) : { ...value, [key]: variant },
  );
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The value with one change: a key removed or added, or a value replaced by one of another type or size. */
function variants(value: unknown): unknown[] {
  const replacements: unknown[] = [null, "x", "", -1, 0.5, 1e12, true, [], {}];
  if (Array.isArray(value))
    return [
      ...replacements,
      ...value.flatMap((item, index) => variants(item).map((variant) => value.with(index, variant))),
    ];
  if (typeof value !== "object" || value === null) return replacements;
  const entries = Object.entries(value);
  return [
    ...replacements,
    { ...value, unknown_key: 1 },
    ...entries.map(([key]) => Object.fromEntries(entries.filter(([name]) => name !== key))),
    ...entries.flatMap(([key, item]) => variants(item).map((variant) => ({ ...value, [key]: variant }))),
  ];
}

/** Only TypeScript checks `uniqueItems`, and tells `true` from the 1 of a version: pydantic reads both as 1. */
function isOutOfScope(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("schema_version" in value && value.schema_version === true) return true;
  const inner = Object.values(value);
  if (Array.isArray(value) && new Set(inner.map((item) => JSON.stringify(item))).size < inner.length)
    return true;
  return inner.some(isOutOfScope);
}
