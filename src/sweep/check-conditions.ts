import { EXIT } from "../contract/errors.ts";
import type { Summary } from "../contract/generated/types.ts";
import { figuresOfSummary } from "../report/conditions/condition-figures.ts";
import { type FailIf, heldConditions } from "../report/conditions/fail-if.ts";
import type { Terminal } from "../terminal/terminal.ts";

/**
 * Says which conditions of --fail-if hold, with their values.
 *
 * @returns the exit code.
 * @throws CliprpnError bad_input if the report lacks a value.
 */
export function checkConditions(conditions: readonly FailIf[], summary: Summary, terminal: Terminal): number {
  const held = heldConditions(conditions, figuresOfSummary(summary));
  for (const text of held) terminal.info(`--fail-if holds on ${summary.split}: ${text}`);
  return held.length > 0 ? EXIT.condition_held : EXIT.good;
}
