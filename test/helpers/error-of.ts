import type { CliprpnError } from "../../src/contract/errors.ts";

/** The error that a function throws; fails the test when it throws none. */
export function errorOf(act: () => unknown): CliprpnError {
  try {
    act();
  } catch (error) {
    return error as CliprpnError;
  }
  throw new Error("expected an error, but none was thrown");
}
