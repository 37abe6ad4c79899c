import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { packageRoot } from "../../src/package-root.ts";
import { examplesOf } from "../helpers/contract-examples.ts";

type Schema = Record<string, unknown>;
const contract = read("contract");
const names = Object.keys(Object(contract.$defs));
const strict = { strict: true, allowUnionTypes: true, discriminator: true } as const;

test("every type of the contract compiles in ajv's strict mode", () => {
  const ajv = new Ajv2020(strict).addSchema(contract);
  for (const name of names)
    expect(ajv.compile({ $ref: `cliprpn#/$defs/${name}` }), name).toBeTypeOf("function");
});

test("the schema for editors compiles alone and accepts a small experiment", () => {
  const validate = new Ajv2020(strict).compile(read("experiment"));
  expect(validate({ name: "a", question: "Which is best?" })).toBe(true);
  expect(validate({ name: "a", question: "Which is best?", seed: [1] })).toBe(false);
});

const stored = [
  "AcceptedAttempt",
  "CodeManifest",
  "ExportManifest",
  "JournalEntry",
  "StoredExperiment",
  "Summary",
  "TestLook",
  "TrialIdentity",
  "TrialOutcome",
  "TrialPlaces",
  "TrialRow",
] as const;

describe.each(stored)("%s", (name) => {
  test("accepts its examples in every form, and no unknown key", () => {
    for (const example of examplesOf(name)) {
      expect(findSchemaErrors(name, example)).toEqual([]);
      expect(findSchemaErrors(name, { ...Object(example), unknown_key: 1 })).not.toEqual([]);
    }
  });
});

test("every object is closed, except the parameters of custom code", () => {
  const open = parts(contract).filter(
    ({ schema }) =>
      schema.type === "object" && "properties" in schema && schema.additionalProperties !== false,
  );
  expect(open.map(({ path }) => path)).toEqual([]);
  const openByDesign = parts(contract).filter(({ schema }) => schema.additionalProperties === true);
  expect(openByDesign.map(({ path }) => path.split("/").at(-1))).toEqual([
    "value",
    "params",
    "params",
    "params",
  ]);
});

test("a choice between objects has a discriminator", () => {
  const without = parts(contract).filter(({ schema }) => "oneOf" in schema && !("discriminator" in schema));
  expect(without.map(({ path }) => path)).toEqual([]);
});

test("keys are snake_case, the same in both languages", () => {
  const keys = parts(contract).flatMap(({ schema }) => Object.keys(Object(schema.properties)));
  expect(keys.filter((key) => !/^(\$schema|[a-z0-9_]+(\.[a-z0-9_]+)?)$/.test(key))).toEqual([]);
});

function read(name: string): Schema {
  return JSON.parse(readFileSync(join(packageRoot, `src/contract/generated/${name}.schema.json`), "utf8"));
}

/** Every schema inside a schema, with its path. */
function parts(value: unknown, path = ""): { schema: Schema; path: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, item]) => parts(item, `${path}/${key}`));
  return [{ schema: Object(value), path }, ...inner];
}
