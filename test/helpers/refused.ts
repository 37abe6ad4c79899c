import type { CliprpnError } from "../../src/contract/errors.ts";

/** The error with which something is refused; it is an error of the test when it is not. */
export function refused(act: () => unknown): CliprpnError {
  try {
    act();
  } catch (error) {
    return error as CliprpnError;
  }
  throw new Error("it was not refused");
}
