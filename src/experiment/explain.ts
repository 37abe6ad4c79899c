import type { ErrorObject } from "ajv/dist/2020.js";
import { hint } from "../base/hint.ts";
import { asDetectorObject } from "./detector-kinds.ts";
import { expectation } from "./expectation.ts";
import { allSettingKeys, settingGroups } from "./presets.ts";
import { digest } from "./setting-identity.ts";
import type { Path } from "./source-text.ts";

/** One thing wrong with a value: its place, whether its key is meant, and the words. */
export interface Explained {
  path: Path;
  key: boolean;
  message: string;
}

/** ajv's errors as a person needs them: one a place, with what was expected, what was found and what may have been meant. */
export function explain(errors: ErrorObject[]): Explained[] {
  const choices = new Set(
    errors.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath),
  );
  const explained = new Map<string, Explained>();
  for (const error of errors) {
    // What each form of a choice wanted says nothing useful; the choice itself does.
    const isBranch = ["type", "enum"].includes(error.keyword) && choices.has(error.instancePath);
    for (const one of isBranch ? [] : explainOne(error)) {
      const place = JSON.stringify([one.path, one.key, error.keyword === "required" ? one.message : ""]);
      if (!explained.has(place)) explained.set(place, one);
    }
  }
  return [...explained.values()];
}

/** `settings.rpn.nms_thresh`, `also[1].preset`. */
export function nameOf(path: Path): string {
  if (path.length === 0) return "the experiment";
  return path
    .map((part, index) =>
      typeof part === "number"
        ? `[${part}]`
        : `${index === 0 ? "" : "."}${/^[\w.$-]+$/.test(part) ? part : show(part)}`,
    )
    .join("");
}

function explainOne(error: ErrorObject): Explained[] {
  const path = pathOf(error.instancePath);
  const schema = record(error.parentSchema);
  const at = (place: Path, message: string, key = false): Explained[] => [
    { path: place, key, message: `${nameOf(place)}: ${message}` },
  ];
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(error.params.additionalProperty);
      return at([...path, key], `there is no such key.${keyHint(key, path, schema)}`, true);
    }
    case "required": {
      const key = String(error.params.missingProperty);
      const wanted = record(record(schema.properties)[key]);
      return at(
        path,
        `expected a key ${key}${"enum" in wanted ? ` (${expectation(wanted)})` : ""}, found none`,
      );
    }
    case "uniqueItems":
      return repeated(list(error.data)).flatMap(([index, item]) =>
        at([...path, index], `expected each value once, found ${show(item)} again`),
      );
    case "anyOf": {
      // An object is close enough to the form that is one; its own keys are to blame, and are told.
      if (typeof error.data === "object" && error.data !== null && !Array.isArray(error.data)) return [];
      const names = list(schema.anyOf).flatMap((form) => list(record(form).enum).map(String));
      const meant = typeof error.data === "string" ? choiceHint(error.data, names, path) : "";
      return at(path, `expected ${names.join(", ")} or an object {...}, found ${show(error.data)}.${meant}`);
    }
    default:
      return at(
        path,
        `expected ${expectation(schema)}, found ${show(error.data)}.${valueHint(error.data, schema)}`,
      );
  }
}

/** A name of the choice's own; or the object that a detector is written as where its name alone is not enough. */
function choiceHint(found: string, names: string[], path: Path): string {
  const isDetector = path.some((part) => part === "detector" || part === "baseline.detector");
  const object = isDetector ? asDetectorObject(found) : undefined;
  return object === undefined ? hint(found, names) : ` Did you mean ${object}?`;
}

/** Values that an earlier one equals, with their places; ajv tells of one pair alone. */
function repeated(items: unknown[]): [number, unknown][] {
  const seen = new Set<string>();
  return items.flatMap((item, index): [number, unknown][] => {
    const identity = digest(item);
    if (seen.has(identity)) return [[index, item]];
    seen.add(identity);
    return [];
  });
}

/** A key beside it; or one of the settings, put too high. */
function keyHint(key: string, path: Path, schema: Record<string, unknown>): string {
  const near = Object.keys(record(schema.properties));
  if (path.length === 1 && path[0] === "settings") return hint(key, [...near, ...allSettingKeys]);
  const meant = hint(key, near);
  if (meant !== "" || path.length > 0) return meant;
  return hint(key, [...settingGroups, ...allSettingKeys]).replace("mean ", "mean settings.");
}

function valueHint(found: unknown, schema: Record<string, unknown>): string {
  if (typeof found === "string") {
    const allowed = list(schema.enum).map(String);
    if (allowed.length > 0) return hint(found, allowed);
    const wantsNumber = list(schema.type).some((type) => type === "number" || type === "integer");
    return wantsNumber && /^-?\d+(\.\d+)?$/.test(found)
      ? ` Did you mean ${Number(found)}, without quotes?`
      : "";
  }
  // 7 or 70 for 0.7: a share that slipped.
  if (typeof found !== "number" || schema.maximum !== 1 || !(found > 1)) return "";
  const meant = [found / 10, found / 100].find((value) => value < 1);
  return meant === undefined ? "" : ` Did you mean ${Number(meant.toPrecision(6))}?`;
}

function show(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function pathOf(pointer: string): Path {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) =>
    /^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~"),
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
