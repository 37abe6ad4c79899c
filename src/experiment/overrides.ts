import { type ParseError, parse } from "jsonc-parser";
import { CliprpnError } from "../contract/errors.ts";
import type { Path } from "./source-text.ts";

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
 * `training.num_epochs=2` (below `settings`), `dataset.root=DIR`, `vary.fusion=["film"]`: JSON values, or plain text.
 *
 * @throws CliprpnError bad_input.
 */
export function parseOverride(text: string): Override {
  const match = /^([A-Za-z_$][\w.$]*)=(.*)$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new CliprpnError(
      "bad_input",
      `--set ${text}: expected key=value, as in --set training.num_epochs=2`,
    );
  }
  const keys = match[1].split(".");
  const [head = "", ...rest] = keys;
  // Keys of `vary` are themselves dotted.
  const path = head === "vary" ? [head, rest.join(".")] : topLevel.has(head) ? keys : ["settings", ...keys];
  return { flag: `--set ${text}`, path, value: jsonOrText(match[2]) };
}

/** The file's value with the overrides put in; objects on the way are made. */
export function applyOverrides(value: unknown, overrides: Override[]): unknown {
  return overrides.reduce((current, { path, value: own }) => put(current, path, own), value);
}

function put(target: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const object = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const inner: unknown =
    key in object ? Object.entries(object).find(([name]) => name === key)?.[1] : undefined;
  return { ...object, [key]: put(inner, rest, value) };
}

function jsonOrText(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  return errors.length > 0 || value === undefined ? text : value;
}
