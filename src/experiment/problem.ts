/** Path of a value in an experiment: `["also", 1, "fusion"]`. */
export type Path = (string | number)[];

/** A problem of an experiment and the value that it is about. */
export interface Problem {
  path: Path;
  message: string;
  /** True if the problem is the value's key, not the value. */
  atKey?: boolean;
  /** The value that is meant, and where to write it; the message gets its suggestion when it is known who wrote the value. */
  meant?: MeantValue;
}

/** What a value of another form means: `"film"` where a list is expected is `["film"]`. */
export interface MeantValue {
  /** Where to write it; not always where it was found. */
  path: Path;
  value: unknown;
  /** A sentence to say after it. */
  remark?: string;
}

/** The position of a value in its source, for messages and for sorting. */
export interface Location {
  /** `experiments/fusion.json:12:9`, or the flag that set the value. */
  where: string;
  /** Offset in the text; -1 for a flag. */
  offset: number;
}

export interface LocatedProblem extends Location {
  message: string;
}

/** Turns problems of a part into problems of the whole. */
export function prefixPaths(prefix: Path, problems: Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, path: [...prefix, ...problem.path] }));
}

/** Formats a path: `settings.rpn.nms_thresh`, `also[1].preset`. */
export function formatPath(path: Path): string {
  if (path.length === 0) return "the experiment";
  return path
    .map((part, index) =>
      typeof part === "number"
        ? `[${part}]`
        : `${index === 0 ? "" : "."}${/^[\w.$-]+$/.test(part) ? part : formatValue(part)}`,
    )
    .join("");
}

/** Formats a value as JSON, cut off after 60 characters. */
export function formatValue(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
