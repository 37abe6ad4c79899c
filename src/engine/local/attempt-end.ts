import { CliprpnError } from "../../contract/errors.ts";
import { messageOf } from "../error-message.ts";
import type { Attempt, AttemptEnd } from "../launcher.ts";
import { isStopped } from "./stop-on-abort.ts";

/**
 * How an attempt ended whose call failed. `outcome.json` counts, even if the worker died after writing it.
 *
 * @param canceled aborted if the attempt was canceled.
 */
export function endAfterError(attempt: Attempt, error: unknown, canceled: AbortSignal): AttemptEnd {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (isStopped(error, canceled)) return { how: "canceled" };
  const known = error instanceof CliprpnError ? error : new CliprpnError("internal", String(error));
  const { code, cause } = known;
  return { how: "error", error: new CliprpnError(code, messageOf(known, attempt), { cause }) };
}
