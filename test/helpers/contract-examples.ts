import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

type Schema = Record<string, unknown>;
const { $defs }: { $defs: Record<string, Schema> } = JSON.parse(
  readFileSync(join(packageRoot, "src/contract/generated/contract.schema.json"), "utf8"),
);

/** Small valid examples of a contract type: one, plus one for each alternative of each part. */
export function examplesOf(name: string): unknown[] {
  return ofSchema(defOf(name));
}

/** Each bridge method with the types of its params and result. */
export function bridgeMethods(): { method: string; params: string; result: string }[] {
  const methods = Object.entries(record(defOf("BridgeMethods").properties));
  return methods.map(([method, { properties }]) => {
    const { params, result } = record(properties);
    return { method, params: refName(params), result: refName(result) };
  });
}

function ofSchema(schema: Schema): unknown[] {
  if (typeof schema.$ref === "string") return ofSchema(defOf(refName(schema)));
  const forms = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(forms)) return forms.flatMap((form) => ofSchema(form));
  if ("const" in schema) return [schema.const];
  if (Array.isArray(schema.enum)) return schema.enum.slice(0, 2);
  return [schema.type].flat().flatMap((type) => ofType(String(type), schema));
}

function ofType(type: string, schema: Schema): unknown[] {
  switch (type) {
    case "object":
      return objects(record(schema.properties));
    case "array":
      return [Array.from({ length: Number(schema.minItems ?? 1) }, () => ofSchema(Object(schema.items))[0])];
    case "string":
      return [example(texts, (text) => matchesPattern(text, schema), schema)];
    case "integer":
      return [example([1, 64], (number) => inRange(number, schema), schema)];
    case "number":
      return [example([0.5, 0.25, 1, 64], (number) => inRange(number, schema), schema)];
    case "boolean":
      return [true];
    default:
      return [null];
  }
}

function objects(properties: Record<string, Schema>): unknown[] {
  const parts = Object.entries(properties).map(([key, schema]): [string, unknown[]] => [
    key,
    ofSchema(schema),
  ]);
  const first = Object.fromEntries(parts.map(([key, [value]]) => [key, value]));
  return [
    first,
    ...parts.flatMap(([key, [, ...others]]) => others.map((value) => ({ ...first, [key]: value }))),
  ];
}

const texts = [
  "text",
  "cpu",
  "0123456789abcdef",
  "0123456789abcdef".repeat(4),
  "/home/me/my_fusion.py:MyFusion",
  "yolov8n",
  "xyxy_1000",
  "a photo of {}",
];

/** @throws when no value is valid: a new pattern or range needs an example here. */
function example<Value>(values: Value[], isValid: (value: Value) => boolean, schema: Schema): Value {
  const value = values.find(isValid);
  if (value === undefined) throw new Error(`no example is valid for ${JSON.stringify(schema)}; add one`);
  return value;
}

function matchesPattern(text: string, { pattern = "" }: Schema): boolean {
  return new RegExp(String(pattern)).test(text);
}

function inRange(number: number, schema: Schema): boolean {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const isInside = number > Number(exclusiveMinimum) && number < Number(exclusiveMaximum);
  return isInside && number >= Number(minimum) && number <= Number(maximum);
}

function refName(schema: unknown): string {
  return String(Object(schema).$ref).replace("#/$defs/", "");
}

function defOf(name: string): Schema {
  const def = $defs[name];
  if (def === undefined) throw new Error(`the contract has no ${name}`);
  return def;
}

function record(value: unknown): Record<string, Schema> {
  return Object(value);
}
