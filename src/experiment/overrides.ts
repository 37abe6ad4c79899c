import { type ParseError, parse } from "jsonc-parser";
import type { Path, Place, Problem } from "./source-text.ts";

/** One `--set key=value`. */
export interface Override {
  flag: string;
  path: Path;
  value: unknown;
}

const topLevel = new Set([
  "name",
  "question",
  "preset",
  "dataset",
  "backbone",
  "settings",
  "vary",
  "also",
  "seeds",
  "num_threads",
  "published",
]);

/**
 * `training.num_epochs=2` (below `settings`), `dataset.root=DIR`, `vary.fusion=["film"]`: JSON values, or plain text. They
 * replace what the file says; of two for one key, the last holds.
 */
export function parseOverrides(texts: string[]): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const match = /^([A-Za-z_$][\w$]*(?:\.[\w$]+)*)=(.*)$/s.exec(text);
    if (match?.[1] === undefined || match[2] === undefined)
      problems.push({
        where: `--set ${text}`,
        offset: -1,
        message: "expected key=value, as in --set training.num_epochs=2",
      });
    else overrides.push({ flag: `--set ${text}`, path: pathOf(match[1]), value: jsonOrText(match[2]) });
  }
  return { overrides, problems };
}

/** The file's value with the overrides put in; objects on the way are made. */
export function applyOverrides(value: unknown, overrides: Override[]): unknown {
  return overrides.reduce((current, { path, value: own }) => put(current, path, own), value);
}

/** The flag that brought in the value at the path, if one did. */
export function flagFor(overrides: Override[], wanted: Path): Place | undefined {
  const found = overrides.findLast(({ path }) => path.every((part, index) => wanted[index] === part));
  return found === undefined ? undefined : { where: found.flag, offset: -1 };
}

function pathOf(key: string): Path {
  const [head = "", ...rest] = key.split(".");
  // Keys of `vary` are themselves dotted.
  if (head === "vary") return rest.length === 0 ? [head] : [head, rest.join(".")];
  return topLevel.has(head) ? [head, ...rest] : ["settings", head, ...rest];
}

function put(target: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const object = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const inner: unknown = Object.entries(object).find(([name]) => name === key)?.[1];
  return { ...object, [key]: put(inner, rest, value) };
}

function jsonOrText(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  return errors.length > 0 || value === undefined ? text : value;
}
