import { type ParseError, parse } from "jsonc-parser";
import type { MeantValue, Path } from "./problem.ts";

/**
 * The list that is meant by a value where the experiment expects a list: a single value, `a,b`, `0-4`, `range(3)`,
 * `{"min": 8, "max": 64}`, `choice(a, b)`, ...
 *
 * @returns undefined when nothing is meant for certain.
 */
export function meantList(path: Path, value: unknown): MeantValue | undefined {
  if (path[0] === "seeds" && typeof value === "number" && value > 1 && value <= maxListed)
    return { path, value: numbersFrom(0, value, 1), remark: `Or [${value}], for the seed ${value}.` };
  if (typeof value === "string") return listOfText(path, value.trim());
  if (typeof value === "number" || typeof value === "boolean") return { path, value: [value] };
  if (!isRecord(value)) return undefined;
  return path[0] === "also" ? { path, value: [value] } : listOfObject(path, value);
}

/** The object that is meant by a name alone: `"dataset": "demo"` is `"dataset": { "name": "demo" }`. */
export function meantObject(path: Path, value: unknown): MeantValue | undefined {
  const isNamed = path.length === 1 && (path[0] === "dataset" || path[0] === "backbone");
  if (isNamed && typeof value === "string") return { path, value: { name: value } };
  const [first] = Array.isArray(value) ? value : [];
  return path.length === 1 && path[0] === "vary" && typeof first === "string"
    ? { path, value: { [first]: [] }, remark: "With the values of each key in its list." }
    : undefined;
}

/**
 * The entry of `vary` that is meant by several values where the experiment expects one: `fusion=film,concatenation`, or
 * `"learning_rate": [0.001, 0.0001]` in `settings`.
 */
export function meantVariation(path: Path, value: unknown): MeantValue | undefined {
  // A list in a list of values: one pair of brackets too many.
  if (path[0] === "vary" && Array.isArray(value) && value.length === 1) return { path, value: value[0] };
  if (path[0] !== "settings" && path[0] !== "preset") return undefined;
  const key = path[0] === "preset" ? "preset" : path.slice(1).join(".");
  const isText = typeof value === "string" && /^\w+\s*\(|,/.test(value);
  const list = isText ? listOfText(path, value)?.value : Array.isArray(value) ? value : undefined;
  if (list === undefined && isRecord(value)) {
    const meant = listOfObject(path, value);
    return meant === undefined ? undefined : { ...meant, path: ["vary", key] };
  }
  if (!Array.isArray(list) || list.length < 2) return undefined;
  return { path: ["vary", key], value: list };
}

/**
 * The first key of a group that is written as an object where keys have dots: `{"training": {"learning_rate": [0.1]}}`.
 *
 * @param inList true where values are lists.
 */
export function meantDottedKeys(group: string, value: unknown, inList: boolean): string | undefined {
  if (!isRecord(value)) return undefined;
  const [first] = Object.entries(value);
  if (first === undefined) return undefined;
  const [key, item] = first;
  return `"${group}.${key}": ${JSON.stringify(inList && !Array.isArray(item) ? [item] : item)}`;
}

/** The largest number of values that are counted out for a range. */
const maxListed = 20;

const noRanges = "There are no ranges: list every value.";

function listOfText(path: Path, text: string): MeantValue | undefined {
  const range = /^(-?\d+)\s*(?:-|\.\.\.?|:|to)\s*(-?\d+)$/.exec(text);
  if (range !== null) {
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (path[0] !== "seeds") return { path, value: [low, high], remark: noRanges };
    const values = numbersFrom(low, high + 1, 1);
    return values.length === 0 || values.length > maxListed ? undefined : { path, value: values };
  }
  const call = /^([A-Za-z_][\w.]*)\s*\((.*)\)$/s.exec(text);
  if (call !== null) return listOfCall(path, call[1] ?? "", partsOf(call[2] ?? ""));
  const parts = partsOf(text);
  return parts.length === 0 ? undefined : { path, value: parts };
}

/** Hydra's `range(1,4)` and `choice(a,b)`, Ray's `tune.grid_search([1, 2])`, `loguniform(1e-4, 1e-1)`. */
function listOfCall(path: Path, name: string, args: unknown[]): MeantValue | undefined {
  const values = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
  const numbers = values.filter((item) => typeof item === "number");
  if (/range$/.test(name) && numbers.length === values.length) {
    const [first = 0, second, step = 1] = numbers;
    const listed = second === undefined ? numbersFrom(0, first, 1) : numbersFrom(first, second, step);
    return listed.length === 0 || listed.length > maxListed ? undefined : { path, value: listed };
  }
  if (values.length === 0) return undefined;
  return /(choice|grid_search|sweep|categorical|list|tuple|set)$/i.test(name)
    ? { path, value: values }
    : { path, value: values, remark: noRanges };
}

/** `{"values": [...]}` of wandb, `{"grid_search": [...]}` of Ray, `{"min": 8, "max": 64}`. */
function listOfObject(path: Path, value: Record<string, unknown>): MeantValue | undefined {
  const lists = [
    "grid_search",
    "values",
    "value",
    "choices",
    "choice",
    "options",
    "categories",
    "list",
    "in",
  ];
  for (const key of lists) {
    const item = value[key];
    if (item !== undefined) return { path, value: Array.isArray(item) ? item : [item] };
  }
  const find = (...keys: string[]): unknown =>
    keys.map((key) => value[key]).find((item) => item !== undefined);
  const low = find("min", "low", "start", "from", "lower");
  const high = find("max", "high", "stop", "end", "to", "upper");
  const step = find("step", "q");
  const bounds = find("bounds", "range", "interval");
  if (Array.isArray(bounds)) return { path, value: bounds, remark: noRanges };
  if (typeof low !== "number" || typeof high !== "number") return undefined;
  const listed = typeof step === "number" ? numbersFrom(low, high + step / 2, step) : [];
  const isShort = listed.length > 0 && listed.length <= maxListed;
  return { path, value: isShort ? listed : [low, high], remark: noRanges };
}

/** `[a, b]`, `(a, b)` and `a, b` as values; texts may be without quotes. */
function partsOf(text: string): unknown[] {
  const inner = /^\[(.*)\]$|^\((.*)\)$|^\{(.*)\}$/s.exec(text);
  const list = inner?.[1] ?? inner?.[2] ?? inner?.[3];
  const value = parsed(list === undefined ? text : `[${list}]`);
  if (value !== undefined) return Array.isArray(value) ? value : [value];
  return (list ?? text)
    .split(",")
    .map((part) => part.trim().replace(/^\w+\s*=\s*(?=[\w.[-])/, ""))
    .filter((part) => part !== "")
    .map((part) => parsed(part) ?? part.replace(/^(['"])(.*)\1$/, "$2"));
}

function parsed(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  return errors.length > 0 ? undefined : value;
}

/** From `low` to below `high`, at most one more than is listed. */
function numbersFrom(low: number, high: number, step: number): number[] {
  if (!(step > 0) || !(high > low)) return [];
  const count = Math.min(maxListed + 1, Math.ceil((high - low) / step));
  return Array.from({ length: count }, (_, index) => Number((low + index * step).toPrecision(12)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
