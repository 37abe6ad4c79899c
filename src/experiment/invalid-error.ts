import { CliprpnError } from "../contract/errors.ts";
import type { LocatedProblem } from "./problem.ts";

/** All problems of a file or a command, one per line. @param name of the file or the command. */
export function invalidError(name: string, problems: readonly LocatedProblem[]): CliprpnError {
  const inOrder = problems.toSorted((a, b) => a.offset - b.offset);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CliprpnError(
    "bad_input",
    [
      ...inOrder.map(({ where, message }) => `${where}  ${message}`),
      `${name}: ${count}, nothing was started`,
    ].join("\n"),
  );
}
