import type { ErrorObject } from "ajv/dist/2020.js";
import { didYouMean } from "../base/did-you-mean.ts";
import { joinWords } from "../base/format.ts";
import { digest } from "../contract/canonical-json.ts";
import { exampleDetector } from "./detectors.ts";
import { suggestForeignKey } from "./foreign-keys.ts";
import { meantDottedKeys, meantList, meantObject, meantVariation } from "./meant-values.ts";
import { isTopLevel } from "./overrides.ts";
import { allSettingKeys, settingGroups } from "./presets.ts";
import { formatPath, formatValue, type MeantValue, type Path, type Problem } from "./problem.ts";

/** Turns ajv's errors into problems for people, one per place: what was expected, what was found, what may be meant. */
export function explainSchemaErrors(errors: ErrorObject[]): Problem[] {
  const choices = new Set(
    errors.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath),
  );
  const problems = new Map<string, Problem>();
  for (const error of errors) {
    // The error of the choice itself covers those of its branches.
    const isBranch = ["type", "enum"].includes(error.keyword) && choices.has(error.instancePath);
    for (const problem of isBranch ? [] : explainError(error)) {
      const { path, atKey, message } = problem;
      const place = JSON.stringify([path, atKey, error.keyword === "required" ? message : ""]);
      if (!problems.has(place)) problems.set(place, problem);
    }
  }
  return [...problems.values()];
}

function explainError(error: ErrorObject): Problem[] {
  const path = parsePointer(error.instancePath);
  const schema = toRecord(error.parentSchema);
  const problemAt = (place: Path, message: string, atKey = false, meant?: MeantValue): Problem[] => [
    {
      path: place,
      atKey,
      message: `${formatPath(place)}: ${message}`,
      ...(meant === undefined ? {} : { meant }),
    },
  ];
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(error.params.additionalProperty);
      const suggestion =
        suggestDotted(key, path, error.data) ||
        suggestInner(key, path, error.data) ||
        suggestKey(key, path, schema);
      return problemAt([...path, key], `unknown key.${suggestion}`, true);
    }
    case "required": {
      const key = String(error.params.missingProperty);
      const keySchema = toRecord(toRecord(schema.properties)[key]);
      const values = "enum" in keySchema ? ` (${describeSchema(keySchema)})` : "";
      const example = examples[key] === undefined ? "" : `; write one, such as "${key}": ${examples[key]}`;
      return problemAt(path, `missing required key ${key}${values}${path.length === 0 ? example : ""}`);
    }
    case "uniqueItems":
      return repeatedItems(toList(error.data)).flatMap(([index, item]) =>
        problemAt([...path, index], `expected unique values, found ${formatValue(item)} again`),
      );
    case "anyOf": {
      // An object was meant as the form that is an object; the errors of its keys are reported instead.
      if (typeof error.data === "object" && error.data !== null && !Array.isArray(error.data)) return [];
      const names = toList(schema.anyOf).flatMap((form) => toList(toRecord(form).enum).map(String));
      const meant = meantVariation(path, error.data);
      const isName = typeof error.data === "string" && meant === undefined;
      return problemAt(
        path,
        `expected ${names.length > 0 ? `${names.join(", ")} or an object {...}` : describeForms(schema)}, found ${formatValue(error.data)}.${isName ? suggestChoice(String(error.data), names, path) : ""}`,
        false,
        meant,
      );
    }
    default: {
      const types = toList(schema.type);
      const meant = types.includes("array")
        ? meantList(path, error.data)
        : types.includes("object")
          ? meantObject(path, error.data)
          : meantVariation(path, error.data);
      const suggestion = isGroup(path, error.data)
        ? " Did you mean settings.baseline?"
        : meant === undefined
          ? suggestValue(error.data, schema)
          : "";
      return problemAt(
        path,
        `expected ${describeSchema(schema)}, found ${formatValue(error.data)}.${suggestion}`,
        false,
        meant,
      );
    }
  }
}

/** For required keys at the top. */
const examples: Record<string, string> = {
  name: '"my-sweep"',
  question: '"Is film better than concatenation?"',
};

/** True for settings of baselines that were written where the label of a configuration belongs. */
function isGroup(path: Path, value: unknown): boolean {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return path.length === 1 && path[0] === "baseline" && isObject;
}

/** Items that equal an earlier one, with their indices; ajv reports only one pair. */
function repeatedItems(items: unknown[]): [number, unknown][] {
  const seen = new Set<string>();
  return items.flatMap((item, index): [number, unknown][] => {
    const identity = digest(item);
    if (seen.has(identity)) return [[index, item]];
    seen.add(identity);
    return [];
  });
}

/** Suggests a key of the same object, or a setting that was written outside its group. */
function suggestKey(key: string, path: Path, schema: Record<string, unknown>): string {
  const siblings = Object.keys(toRecord(schema.properties));
  const foreign = suggestForeignKey(key, path.length === 0);
  if (path.length === 1 && path[0] === "settings")
    return foreign || didYouMean(key, [...siblings, ...allSettingKeys]);
  if (path[0] === "vary" && isTopLevel(key)) return ` Did you mean ${key}, at the top of the file?`;
  const isGroupOfSettings = path.length === 0 && settingGroups.includes(key);
  const suggestion = foreign || (isGroupOfSettings ? "" : didYouMean(key, siblings));
  if (suggestion !== "" || path.length > 0) return suggestion;
  return didYouMean(key, [...settingGroups, ...allSettingKeys]).replace("mean ", "mean settings.");
}

/** The keys of `vary` and `also` have dots: a group as an object is one key too few. */
function suggestDotted(key: string, path: Path, data: unknown): string {
  if (!(path[0] === "vary" || path[0] === "also") || !settingGroups.includes(key)) return "";
  const dotted = meantDottedKeys(key, toRecord(data)[key], path[0] === "vary");
  return dotted === undefined ? "" : ` Did you mean ${dotted}?`;
}

/** A group that only other tools have: `{"trainer": {"max_epochs": 3}}`. */
function suggestInner(key: string, path: Path, data: unknown): string {
  const [inner] = Object.keys(toRecord(toRecord(data)[key]));
  if (inner === undefined || path[0] !== "settings" || settingGroups.includes(key)) return "";
  return suggestForeignKey(inner, false) || didYouMean(inner, allSettingKeys);
}

/** Suggests a name of the choice, or the object to write for a detector whose name alone is not enough. */
function suggestChoice(typed: string, names: string[], path: Path): string {
  const isDetector = path.some((part) => part === "detector" || part === "baseline.detector");
  const object = isDetector ? exampleDetector(typed) : undefined;
  return object === undefined ? didYouMean(typed, names) : ` Did you mean ${object}?`;
}

function suggestValue(value: unknown, schema: Record<string, unknown>): string {
  if (typeof value === "string") {
    const allowed = toList(schema.enum).map(String);
    const renamed = renamedValues.get(value) ?? "";
    if (allowed.includes(renamed)) return ` Did you mean ${renamed}?`;
    if (allowed.length > 0) return didYouMean(value, allowed);
    const wantsNumber = toList(schema.type).some((type) => type === "number" || type === "integer");
    if (wantsNumber && /^[-+]?\d[\d_]*(\.\d*)?(e[-+]?\d+)?$/i.test(value))
      return ` Did you mean ${Number(value.replaceAll("_", ""))}, without quotes?`;
    const word = words.get(value.toLowerCase());
    return word !== undefined && toList(schema.type).includes(word === "null" ? "null" : "boolean")
      ? ` Did you mean ${word}?`
      : "";
  }
  const types = toList(schema.type);
  if (types.length === 1 && types[0] === "boolean" && (value === 0 || value === 1))
    return ` Did you mean ${value === 1}?`;
  // 7 or 70 where 0.7 is meant.
  const limit = Number(schema.maximum ?? schema.exclusiveMaximum);
  if (typeof value !== "number" || !(limit <= 1) || !(value > 1)) return "";
  const fraction = [value / 10, value / 100].find((candidate) => candidate < limit);
  return fraction === undefined ? "" : ` Did you mean ${Number(fraction.toPrecision(6))}?`;
}

/** Values in the words of Python and YAML. */
const words = new Map([
  ["true", "true"],
  ["yes", "true"],
  ["on", "true"],
  ["false", "false"],
  ["no", "false"],
  ["off", "false"],
  ["none", "null"],
  ["null", "null"],
]);

/** Earlier names of values. */
const renamedValues = new Map([
  ["picture", "image"],
  ["whole_picture", "whole_image"],
]);

/** Describes the values that a JSON Schema accepts: `a number in (0, 1]`, `a list of 1 to 16 values`. */
function describeSchema(schema: Record<string, unknown>): string {
  const allowed = toList(schema.enum);
  if (allowed.length > 0) return joinWords(allowed.map(String), "or");
  const types = toList(schema.type).map(String);
  const words = types.map((type) => describeType(type, schema));
  return words.length > 0 ? joinWords(words, "or") : String(schema.description ?? "something else");
}

/** Describes the forms of a choice that has no names: `text of at least 1 characters, a list or an object {...}`. */
function describeForms(schema: Record<string, unknown>): string {
  const types = toList(schema.anyOf).map((form) => {
    const { type, ...rest } = toRecord(form);
    return type === undefined ? "an object {...}" : describeType(String(type), rest.properties ? {} : rest);
  });
  return joinWords([...new Set(types)], "or");
}

function describeType(type: string, schema: Record<string, unknown>): string {
  switch (type) {
    case "integer":
      return `an integer${describeRange(schema)}`;
    case "number":
      return `a number${describeRange(schema)}`;
    case "array":
      return `a list${describeCount(schema, "minItems", "maxItems", "values")}`;
    case "string":
      return describeText(schema);
    case "boolean":
      return "true or false";
    case "object":
      return "an object {...}";
    default:
      return type;
  }
}

function describeRange(schema: Record<string, unknown>): string {
  const multiple = schema.multipleOf === undefined ? "" : `, a multiple of ${schema.multipleOf}`;
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (low !== undefined && high !== undefined) {
    const [left, right] = [
      schema.minimum === undefined ? "(" : "[",
      schema.maximum === undefined ? ")" : "]",
    ];
    return ` in ${left}${low}, ${high}${right}${multiple}`;
  }
  if (low !== undefined) return ` ${schema.minimum === undefined ? ">" : ">="} ${low}${multiple}`;
  if (high !== undefined) return ` ${schema.maximum === undefined ? "<" : "<="} ${high}${multiple}`;
  return multiple;
}

function describeText(schema: Record<string, unknown>): string {
  const { pattern } = schema;
  if (typeof pattern === "string") return patterns[pattern] ?? `text like ${pattern}`;
  return `text${describeCount(schema, "minLength", "maxLength", "characters")}`;
}

const patterns: Record<string, string> = {
  "^[a-z0-9][a-z0-9-]{0,62}$": "a name of at most 63 lowercase letters, digits and dashes",
  "^[a-z0-9][a-z0-9_.-]{0,62}$":
    "a name of at most 63 lowercase letters, digits, dots, dashes and underscores",
  "^.+\\.py:[A-Za-z_][A-Za-z0-9_]*$": "a file and a class, such as my_fusion.py:MyFusion",
  "^(?!\\s)[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]+(?<!\\s)$":
    "a label of at most 100 characters, without control characters, and without space at its start or end",
  "^[A-Za-z0-9_][A-Za-z0-9_.,:+@-]{0,199}$":
    "a name, or several with commas between them: letters, digits and . _ : + @ -",
  "^[A-Za-z0-9_.,:&|*()\\[\\]-]{1,400}$": "features of nodes, such as a100|h100",
  "^[^{}]*\\{\\}[^{}]*$": "text with exactly one {}, the placeholder for the referring expression",
};

function describeCount(schema: Record<string, unknown>, low: string, high: string, what: string): string {
  const [least, most] = [schema[low], schema[high]];
  if (least !== undefined && most !== undefined) return ` of ${least} to ${most} ${what}`;
  if (least !== undefined) return ` of at least ${least} ${what}`;
  return most === undefined ? "" : ` of at most ${most} ${what}`;
}

function parsePointer(pointer: string): Path {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) =>
    /^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~"),
  );
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
