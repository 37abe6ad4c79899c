import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ContractTypes, findSchemaErrors } from "../contract/check.ts";
import { describeUnreadableJson } from "./input-files.ts";
import type { LocatedProblem, Location, Path } from "./problem.ts";
import { explainSchemaErrors } from "./schema-problems.ts";
import { SourceText } from "./source-text.ts";

/** A JSON file that a person wrote: its value, or its problems with lines and columns. */
export type CheckedFile<T> =
  | { value: T; where(path: Path, atKey?: boolean): Location }
  | { problems: LocatedProblem[] };

/**
 * Reads a JSON file and checks it against a type of the contract.
 *
 * @param what the file should contain, such as "a comparison".
 */
export function readCheckedFile<Name extends keyof ContractTypes>(
  name: Name,
  file: string,
  cwd: string,
  what: string,
): CheckedFile<ContractTypes[Name]> {
  const path = resolve(cwd, file);
  const unreadable = describeUnreadableJson(path);
  if (unreadable !== undefined)
    return { problems: [{ where: file, offset: 0, message: `expected ${what}, found ${unreadable}` }] };
  const source = new SourceText(file, readFileSync(path), what);
  if (source.syntaxProblems.length > 0) return { problems: source.syntaxProblems };
  const { value } = source;
  const invalid = explainSchemaErrors(findSchemaErrors(name, value)).map((problem) => ({
    ...source.where(problem.path, problem.atKey),
    message: problem.message.replace(/^the experiment: /, ""),
  }));
  const problems = [...source.repeatedKeys, ...invalid];
  if (problems.length > 0) return { problems };
  return { value: value as ContractTypes[Name], where: source.where.bind(source) };
}
