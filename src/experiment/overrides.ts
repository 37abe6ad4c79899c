import { type ParseError, parse } from "jsonc-parser";
import { quoteForShell } from "../base/format.ts";
import { allSettingKeys } from "./presets.ts";
import type { LocatedProblem, Location, Path } from "./problem.ts";

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
  "baseline",
  "smallest_difference",
  "alpha",
  "num_threads",
  "keep_models",
  "engine",
  "published",
]);

/**
 * Parses `training.num_epochs=2` (a key of `settings`), `dataset.root=DIR`, `vary.fusion=["film"]`: JSON values, or plain
 * text. They replace values of the file; when two set one key, the last one wins.
 */
export function parseOverrides(texts: string[]): { overrides: Override[]; problems: LocatedProblem[] } {
  const overrides: Override[] = [];
  const problems: LocatedProblem[] = [];
  for (const text of texts) {
    const match = /^([A-Za-z_$][\w$]*(?:\.[\w$]+)*)=(.*)$/s.exec(text);
    if (match?.[1] === undefined || match[2] === undefined)
      problems.push({
        where: `--set ${text}`,
        offset: -1,
        message: `expected key=value, as in --set training.num_epochs=2${suggestAssignment(text)}`,
      });
    else {
      const second = secondAssignment(match[2]);
      if (second !== undefined) {
        problems.push({
          where: `--set ${text}`,
          offset: -1,
          message: `expected one key, found ${second} in its value, too; each key needs a --set of its own: --set ${quoteForShell(text.slice(0, text.indexOf(second)).replace(/[\s,;]+$/, ""))} --set ${quoteForShell(second)}`,
        });
        continue;
      }
      const value = parseJsonOrText(match[2]);
      overrides.push({ flag: `--set ${text}`, path: pathOf(match[1], value), value });
    }
  }
  return { overrides, problems };
}

/** True if an experiment has this key, or one that starts with it and a dot. */
export function isTopLevel(key: string): boolean {
  return topLevel.has(key.split(".")[0] ?? "");
}

/** `+a.b=1` and `a/b=1` of Hydra, `a.b: 1` of YAML. */
function suggestAssignment(text: string): string {
  const fixed = text
    .replace(/^[+~]+|^--?/, "")
    .replace(/^([\w./]+)\s*[:=]\s*/, (_, key: string) => `${key.replaceAll("/", ".")}=`);
  return /^[A-Za-z_]\w*(\.\w+)*=./.test(fixed) ? `. Did you mean --set ${quoteForShell(fixed)}?` : "";
}

/** The second of two keys that were given to one `--set`: `b=2` in `a=1 b=2` or `a=1,b=2`; only if an experiment has it. */
function secondAssignment(value: string): string | undefined {
  const [, found, key = ""] = /^[^\s"'[\]{}]*[\s,;]+(([A-Za-z_]\w*(?:\.\w+)*)=.*)$/s.exec(value) ?? [];
  return isTopLevel(key) || allSettingKeys.includes(key) ? found : undefined;
}

/** Applies the overrides to a file's value; missing objects on the way are created. */
export function applyOverrides(value: unknown, overrides: Override[]): unknown {
  return overrides.reduce((result, override) => setAt(result, override.path, override.value), value);
}

/** The flag that set the value at the path, if any. */
export function flagFor(overrides: Override[], target: Path): Location | undefined {
  const override = overrides.findLast(({ path }) => path.every((part, index) => target[index] === part));
  return override === undefined ? undefined : { where: override.flag, offset: -1 };
}

function pathOf(key: string, value: unknown): Path {
  const [head = "", ...rest] = key.split(".");
  // `baseline` is the label of a configuration, and a group of settings: baseline.ranking=blur, baseline={"ranking": "blur"}.
  const isGroup = head === "baseline" && (rest.length > 0 || isObject(value));
  if (isGroup) return ["settings", head, ...rest];
  // The keys of `vary` contain dots.
  if (head === "vary") return rest.length === 0 ? [head] : [head, rest.join(".")];
  return topLevel.has(head) ? [head, ...rest] : ["settings", head, ...rest];
}

function setAt(target: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const object = isObject(target) ? target : {};
  const inner: unknown = Object.entries(object).find(([name]) => name === key)?.[1];
  return { ...object, [key]: setAt(inner, rest, value) };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJsonOrText(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  return errors.length > 0 || value === undefined ? text : value;
}
