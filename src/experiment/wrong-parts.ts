import type { Path } from "./source-text.ts";

/**
 * What is left of an experiment without its wrong parts, so that further rules can look at the rest and all problems are told
 * at once. A list with a wrong value goes as a whole: places in it would shift.
 */
export function withoutWrong(value: unknown, wrong: Path[]): unknown {
  const rest = wrong
    .map(wholePart)
    .filter(({ length }) => length > 0)
    .reduce(without, value);
  return { name: "unnamed", question: "unknown?", ...(isObject(rest) ? rest : {}) };
}

/**
 * The settings that wrong parts were to set, by their first word (`rpn`, `fusion`); rules on those would tell what is not so.
 * `*` stands for everything: the preset, or a key that nobody knows.
 */
export function wrongGroups(wrong: Path[], known: string[]): Set<string> {
  const settings = wrong.flatMap(([top, ...rest]) => {
    if (top === "preset") return ["*"];
    if (top === "settings" || top === "vary") return [String(rest[0] ?? "*")];
    return top === "also" ? [String(rest[1] ?? "*")] : [];
  });
  return new Set(
    settings.map((key) => key.split(".")[0] ?? "*").map((group) => (known.includes(group) ? group : "*")),
  );
}

/** Half a fusion or detector, or a data set with an unknown key, would be found wrong for a reason that is not there. */
function wholePart(path: Path): Path {
  const choice = path.findIndex((part) => choices.includes(part));
  if (choice !== -1) return path.slice(0, choice + 1);
  return wholes.includes(path[0]) ? path.slice(0, 1) : path;
}

const choices: unknown[] = ["fusion", "detector", "baseline.detector"];
const wholes: unknown[] = ["dataset", "backbone", "published"];

function without(value: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return undefined;
  if (Array.isArray(value)) {
    if (typeof key !== "number" || key >= value.length) return value;
    const item = without(value[key], rest);
    return item === undefined ? undefined : value.with(key, item);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    const left = name === key ? without(item, rest) : item;
    return left === undefined ? [] : [[name, left]];
  });
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
