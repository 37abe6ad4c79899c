import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { CliprpnError } from "../contract/errors.ts";
import {
  type CheckedExperiment,
  checkExperiment,
  type ReadExperiment,
  type ReadOptions,
} from "./check-experiment.ts";
import { describeUnreadableJson, isFolder } from "./input-files.ts";
import { invalidError } from "./invalid-error.ts";
import { applyOverrides, flagFor, parseOverrides } from "./overrides.ts";
import { formatPath, type LocatedProblem, type Path, type Problem } from "./problem.ts";
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
  const located = checked.problems.map((problem) => {
    const flag = flagFor(overrides, problem.path);
    const message = problem.message + suggestMeant(problem, flag !== undefined);
    return { ...(flag ?? source.where(problem.path, problem.atKey)), message };
  });
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
  const located = checked.problems.map((problem): LocatedProblem => {
    const { path, message } = problem;
    const flag = flagFor(overrides, path);
    if (flag !== undefined) return { ...flag, message: message + suggestMeant(problem, true) };
    // The person typed an option, not the key that the message starts with.
    return { where: origin.where(path), offset: 0, message: message.replace(`${formatPath(path)}: `, "") };
  });
  return requireValid(origin.name, checked, [...problems, ...located]);
}

/** Suggests the value that is meant, as `--set` or as the file takes it. */
function suggestMeant({ path, meant }: Problem, isFlag: boolean): string {
  if (meant === undefined) return "";
  const { value, remark } = meant;
  const json = JSON.stringify(value);
  if (json.length > 200) return "";
  const [head = "", ...rest] = meant.path.map(String);
  const key = rest.join(".");
  const flag = head === "settings" ? key : [head, ...rest].join(".");
  const isElsewhere = formatPath(path) !== formatPath(meant.path);
  const inFile = isElsewhere ? `"${head}": { "${key}": ${json} }` : json;
  const written = isFlag ? `--set '${flag}=${json}'` : inFile;
  return ` Did you mean ${written}?${remark === undefined ? "" : ` ${remark}`}`;
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
  const unreadable = describeUnreadableJson(path);
  if (unreadable !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${path}: expected an experiment file, found ${existsSync(path) ? unreadable.replace(`, ${path}`, "") : `none${suggestFile(path)}`}`,
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

function suggestFile(path: string): string {
  if (/^\w+=/.test(basename(path))) return "; a key is set with --set key=value, after the file";
  const folder = dirname(path);
  const files = isFolder(folder) ? readdirSync(folder).filter((name) => /\.jsonc?$/.test(name)) : [];
  const withEnding = files.find((name) => name === `${basename(path)}.json`);
  const near = withEnding === undefined ? didYouMean(basename(path), files) : ` Did you mean ${withEnding}?`;
  return near === "" ? "; run `cliprpn init` to create one" : `.${near}`;
}
