import { CliprpnError } from "../../contract/errors.ts";
import { type DescribedAttempt, messageOf } from "../error-message.ts";
import type { AttemptEnd } from "../launcher.ts";
import { isStopped } from "./stop-on-abort.ts";

/**
 * How an attempt ended whose call failed. `outcome.json` counts, even if the worker died after writing it.
 *
 * @param canceled aborted if the attempt was canceled.
 */
export function endAfterError<Outcome>(
  attempt: DescribedAttempt & { outcome(): Outcome | undefined },
  error: unknown,
  canceled: AbortSignal,
): AttemptEnd<Outcome> {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (isStopped(error, canceled)) return { how: "canceled" };
  const known = error instanceof CliprpnError ? error : new CliprpnError("internal", String(error));
  const { code, cause } = known;
  return { how: "error", error: new CliprpnError(code, messageOf(known, attempt), { cause }) };
}
