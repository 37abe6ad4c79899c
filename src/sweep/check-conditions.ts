import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Combined, Summary } from "../contract/generated/types.ts";
import { figuresOfCombined, figuresOfSummary } from "../report/conditions/condition-figures.ts";
import { type FailIf, heldConditions } from "../report/conditions/fail-if.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The figures that conditions are about. */
export interface JudgedFigures {
  /** Each split with a report: its name, and its figures. */
  splits: readonly { name: string; summary: Summary }[];
  /** The figures over several splits. */
  combined?: Combined | undefined;
}

/**
 * Says which conditions of --fail-if hold, where, and with which values. Those that begin with `primary.` are about the primary endpoint
 * over several splits, all others about each split that has a report.
 *
 * @returns the exit code.
 * @throws CliprpnError bad_input if the report lacks a value.
 */
export function checkConditions(
  conditions: readonly FailIf[],
  { splits, combined }: JudgedFigures,
  terminal: Terminal,
): number {
  const ofScope = (scope: FailIf["scope"]) => conditions.filter((each) => each.scope === scope);
  const held = splits.flatMap(({ name, summary }) =>
    heldConditions(ofScope("split"), figuresOfSummary(summary)).map((text) => `on ${name}: ${text}`),
  );
  const ofPrimary = ofScope("primary");
  if (ofPrimary.length > 0 && combined === undefined)
    throw new CliprpnError("bad_input", `--fail-if ${ofPrimary[0]?.text}: the report has one split only`);
  if (combined !== undefined)
    held.push(
      ...heldConditions(ofPrimary, figuresOfCombined(combined)).map((text) => `over the splits: ${text}`),
    );
  for (const text of held) terminal.info(`--fail-if holds ${text}`);
  return held.length > 0 ? EXIT.condition_held : EXIT.good;
}
