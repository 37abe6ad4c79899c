import type { ErrorObject } from "ajv/dist/2020.js";
import { closest } from "fastest-levenshtein";
import type { Path } from "./source-text.ts";

/** One thing wrong with a value: its place, whether its key is meant, and the words. */
export interface Explained {
  path: Path;
  key: boolean;
  message: string;
}

/** ajv's errors as a person needs them: one a place, with what was expected, what was found and what may have been meant. */
export function explain(errors: ErrorObject[]): Explained[] {
  const explained = new Map<string, Explained>();
  for (const error of errors) {
    const one = explainOne(error, errors);
    if (one === undefined) continue;
    const place = JSON.stringify([one.path, one.key]);
    if (!explained.has(place)) explained.set(place, one);
  }
  return [...explained.values()];
}

function explainOne(error: ErrorObject, all: ErrorObject[]): Explained | undefined {
  const path = pathOf(error.instancePath);
  const found = show(error.data);
  const at = (message: string): Explained => ({ path, key: false, message: `${name(path)}: ${message}` });
  // Branches of a choice that want another type than the value has say nothing useful.
  const inBranch = /\/anyOf\/\d+\//.test(error.schemaPath) || error.schemaPath.includes("FusionObject");
  if (inBranch && error.keyword === "type" && error.instancePath === choicePath(error, all)) return undefined;
  if (inBranch && error.keyword === "enum" && typeof error.data !== "string") return undefined;
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(error.params.additionalProperty);
      const known = Object.keys(record(error.parentSchema?.properties));
      return {
        path: [...path, key],
        key: true,
        message: `${name([...path, key])}: there is no such key.${hint(key, known)}`,
      };
    }
    case "required":
      return at(`expected a key ${error.params.missingProperty}, found none`);
    case "enum": {
      const allowed = list(error.params.allowedValues);
      return at(
        `expected ${allowed.map(show).join(", ")}, found ${found}.${hint(String(error.data), allowed.map(String))}`,
      );
    }
    case "type":
      return at(`expected ${list(error.params.type).join(" or ")}, found ${found}`);
    case "anyOf":
      return all.some(
        (other) =>
          other !== error && other.instancePath.startsWith(error.instancePath) && isTelling(other, error),
      )
        ? undefined
        : at(
            `expected ${String(error.parentSchema?.description ?? "one of the allowed forms")} Found ${found}`,
          );
    case "pattern":
      return at(
        `expected ${patterns[String(error.params.pattern)] ?? `text like ${error.params.pattern}`}, found ${found}`,
      );
    default:
      return at(`expected ${bound(error)}, found ${found}`);
  }
}

/** Whether the error says more about the value than that no form fits. */
function isTelling(other: ErrorObject, choice: ErrorObject): boolean {
  if (other.instancePath !== choice.instancePath) return true;
  return (
    other.keyword === "additionalProperties" || (other.keyword === "enum" && typeof other.data === "string")
  );
}

function choicePath(error: ErrorObject, all: ErrorObject[]): string | undefined {
  return all.find(({ keyword, instancePath }) => keyword === "anyOf" && instancePath === error.instancePath)
    ?.instancePath;
}

function bound({ keyword, params }: ErrorObject): string {
  const limit = params.limit ?? params.multipleOf;
  const forms: Record<string, string> = {
    minimum: `a number >= ${limit}`,
    maximum: `a number <= ${limit}`,
    exclusiveMinimum: `a number > ${limit}`,
    exclusiveMaximum: `a number < ${limit}`,
    multipleOf: `a multiple of ${limit}`,
    minItems: `at least ${limit} values`,
    maxItems: `at most ${limit} values`,
    minLength: `at least ${limit} characters`,
    maxLength: `at most ${limit} characters`,
    uniqueItems: "each value once",
  };
  return forms[keyword] ?? `something else (${keyword})`;
}

const patterns: Record<string, string> = {
  "^[a-z0-9][a-z0-9-]{0,62}$": "a name of small letters, digits and dashes",
  "^[a-z0-9][a-z0-9_.-]{0,62}$": "a name of small letters, digits, dots and dashes",
  "^.+\\.py:[A-Za-z_][A-Za-z0-9_]*$": "a file and a class, my_fusion.py:MyFusion",
};

function hint(found: string, known: string[]): string {
  if (known.length === 0 || found.length > 60) return "";
  const meant = closest(found.toLowerCase(), known);
  return ` Did you mean ${meant}?`;
}

function name(path: Path): string {
  if (path.length === 0) return "the experiment";
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function pathOf(pointer: string): Path {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) =>
    /^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~"),
  );
}

function record(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}
