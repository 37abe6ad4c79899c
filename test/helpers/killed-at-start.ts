import { CliprpnError } from "../../src/contract/errors.ts";

/** The error of a worker that the system killed before it could do anything. */
export function killedAtStart(): CliprpnError {
  const cause = new CliprpnError("worker_killed", "Python was killed by SIGKILL");
  return new CliprpnError("environment_broken", `python did not start: ${cause.message}`, { cause });
}
