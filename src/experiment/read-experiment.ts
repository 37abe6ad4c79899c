import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import {
  type CheckedExperiment,
  checkExperiment,
  type ReadExperiment,
  type ReadOptions,
} from "./check-experiment.ts";
import { applyOverrides, flagFor, parseOverrides } from "./overrides.ts";
import { formatPath, type LocatedProblem, type Path } from "./problem.ts";
import { SourceText } from "./source-text.ts";

/**
 * Reads and checks an experiment file.
 *
 * @param sets `--set` options, which replace values of the file.
 * @param cwd that paths of data and weights are relative to; fusion files are relative to the experiment file.
 * @throws CliprpnError bad_input with all problems, one per line: `file:line:column  what was expected, what was found`. Text
 *   that is not JSON is reported alone.
 */
export function readExperiment(
  file: string,
  sets: string[],
  cwd: string,
  options: ReadOptions = {},
): ReadExperiment {
  const source = new SourceText(file, readBytes(resolve(cwd, file)));
  if (source.syntaxProblems.length > 0) throw invalidError(file, source.syntaxProblems);
  const { overrides, problems } = parseOverrides(sets);
  const checked = checkExperiment(
    applyOverrides(source.value, overrides),
    file,
    dirname(resolve(cwd, file)),
    cwd,
    options,
  );
  const located = checked.problems.map(({ path, atKey, message }) => ({
    ...(flagFor(overrides, path) ?? source.where(path, atKey)),
    message,
  }));
  return requireValid(file, checked, [...problems, ...source.repeatedKeys, ...located]);
}

/** The command that makes an experiment from its options. */
export interface Origin {
  /** The command, for the last line of a message: `cliprpn baseline`. */
  name: string;
  /** The option that set the value at a path, for the start of a line: `--weights`. */
  where(path: Path): string;
}

/**
 * Reads and checks an experiment that a command makes from its options.
 *
 * @param cwd that all paths are relative to.
 * @throws CliprpnError bad_input with all problems, one per line: `--weights  what was expected, what was found`.
 */
export function readCommandExperiment(
  value: unknown,
  origin: Origin,
  sets: string[],
  cwd: string,
  options: ReadOptions = {},
): ReadExperiment {
  const { overrides, problems } = parseOverrides(sets);
  const checked = checkExperiment(applyOverrides(value, overrides), origin.name, cwd, cwd, options);
  const located = checked.problems.map(({ path, message }): LocatedProblem => {
    const flag = flagFor(overrides, path);
    if (flag !== undefined) return { ...flag, message };
    // The person typed an option, not the key that the message starts with.
    return { where: origin.where(path), offset: 0, message: message.replace(`${formatPath(path)}: `, "") };
  });
  return requireValid(origin.name, checked, [...problems, ...located]);
}

/** @throws CliprpnError bad_input when there are problems. */
function requireValid(
  name: string,
  { experiment, settings }: CheckedExperiment,
  problems: LocatedProblem[],
): ReadExperiment {
  if (problems.length > 0) throw invalidError(name, problems);
  return { experiment, settings };
}

function readBytes(path: string): Uint8Array {
  if (!existsSync(path))
    throw new CliprpnError(
      "bad_input",
      `${path}: expected an experiment file, found none; run \`cliprpn init\` to create one`,
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

function invalidError(file: string, problems: LocatedProblem[]): CliprpnError {
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
