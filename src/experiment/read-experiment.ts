import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { type Examined, examine, type ReadExperiment, type ReadOptions } from "./examine.ts";
import { nameOf } from "./explain.ts";
import { applyOverrides, flagFor, parseOverrides } from "./overrides.ts";
import { type Path, type Problem, SourceText } from "./source-text.ts";

/**
 * Reads and checks an experiment file.
 *
 * @param sets `--set` changes, which replace what the file says.
 * @param cwd what paths of data and weights are relative to; fusion files are relative to the experiment file.
 * @throws CliprpnError bad_input with all problems, a line each: `file:line:column  what was expected, what was found`. Only
 *   text that is no JSON is told alone.
 */
export function readExperiment(
  file: string,
  sets: string[],
  cwd: string,
  options: ReadOptions = {},
): ReadExperiment {
  const source = new SourceText(file, readBytes(resolve(cwd, file)));
  if (source.syntaxProblems.length > 0) throw invalid(file, source.syntaxProblems);
  const { overrides, problems } = parseOverrides(sets);
  const examined = examine(
    applyOverrides(source.value, overrides),
    file,
    dirname(resolve(cwd, file)),
    cwd,
    options,
  );
  const placed = examined.found.map(({ path, key, message }) => ({
    ...(flagFor(overrides, path) ?? source.where(path, key)),
    message,
  }));
  return unlessWrong(file, examined, [...problems, ...source.repeatedKeys, ...placed]);
}

/** Where an experiment comes from that stands in no file. */
export interface Origin {
  /** Of the whole, for the last line: `cliprpn baseline`. */
  name: string;
  /** What brought in the value at a path, for the beginning of a line: `--weights`. */
  where(path: Path): string;
}

/**
 * An experiment that a command makes up, checked like one in a file.
 *
 * @param cwd what all paths are relative to.
 * @throws CliprpnError bad_input with all problems, a line each: `--weights  what was expected, what was found`.
 */
export function experimentOf(
  value: unknown,
  origin: Origin,
  sets: string[],
  cwd: string,
  options: ReadOptions = {},
): ReadExperiment {
  const { overrides, problems } = parseOverrides(sets);
  const examined = examine(applyOverrides(value, overrides), origin.name, cwd, cwd, options);
  const placed = examined.found.map(({ path, message }): Problem => {
    const flag = flagFor(overrides, path);
    if (flag !== undefined) return { ...flag, message };
    // Nobody has written the key that the message begins with.
    return { where: origin.where(path), offset: 0, message: message.replace(`${nameOf(path)}: `, "") };
  });
  return unlessWrong(origin.name, examined, [...problems, ...placed]);
}

function unlessWrong(name: string, { experiment, settings }: Examined, problems: Problem[]): ReadExperiment {
  if (problems.length > 0) throw invalid(name, problems);
  return { experiment, settings };
}

function readBytes(path: string): Uint8Array {
  if (!existsSync(path))
    throw new CliprpnError(
      "bad_input",
      `${path}: expected an experiment file, found none; \`cliprpn init\` writes one`,
    );
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliprpnError(
      "bad_input",
      `${path}: cannot be read: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

function invalid(file: string, problems: Problem[]): CliprpnError {
  const inOrder = problems.toSorted((a, b) => a.offset - b.offset);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CliprpnError(
    "bad_input",
    [
      ...inOrder.map(({ where, message }) => `${where}  ${message}`),
      `${file}: ${count}, nothing was started`,
    ].join("\n"),
  );
}
