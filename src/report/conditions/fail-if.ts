import { CliprpnError } from "../../contract/errors.ts";
import type { ConditionFigures } from "./condition-figures.ts";
import {
  type Condition,
  type Operand,
  type Operator,
  parseCondition,
  type Step,
  SyntaxProblem,
} from "./parse-condition.ts";
import { type KnownNames, type Quantity, quantityNames, quantityOf } from "./quantities.ts";

/** A condition of --fail-if whose names are known. */
export interface FailIf {
  text: string;
  /** Whether it is about each split, or about the primary endpoint over several. */
  scope: "split" | "primary";
  /** The condition's values if it holds; undefined if it does not. @throws CliprpnError bad_input if a value is missing. */
  holds: (figures: ConditionFigures) => Values | undefined;
}

/** Each named value of a condition, as it is in the report. */
export type Values = Map<string, number | string>;

/**
 * Checks the conditions of --fail-if, before any work.
 *
 * @throws CliprpnError bad_input: the condition cannot be read, or names what no report has.
 */
export function checkFailIf(texts: readonly string[], known: KnownNames): FailIf[] {
  return texts.map((text) => {
    const fail = (problem: string): never => refuse(text, problem);
    const { scope, condition } = scopeOf(parse(text), fail, known);
    const test = compile(condition, fail, known);
    return {
      text,
      scope,
      holds: (figures) => {
        const values: Values = new Map();
        return test(figures, values) ? values : undefined;
      },
    };
  });
}

/** The conditions that hold, each with its values: "difference.acc_at_50.low < 0 (difference.acc_at_50.low is -0.4)". */
export function heldConditions(conditions: readonly FailIf[], figures: ConditionFigures): string[] {
  return conditions.flatMap(({ text, holds }) => {
    const values = holds(figures);
    if (values === undefined) return [];
    const described = [...values].map(([name, value]) => `${name} is ${format(value)}`);
    return `${text.trim()} (${described.join(", ")})`;
  });
}

function parse(text: string): Condition {
  try {
    return parseCondition(text);
  } catch (error) {
    if (error instanceof SyntaxProblem) refuse(text, error.message);
    throw error;
  }
}

/** Takes `primary.` off the names, which all of a condition have, or none. */
function scopeOf(
  condition: Condition,
  fail: (problem: string) => never,
  known: KnownNames,
): { scope: FailIf["scope"]; condition: Condition } {
  const paths = pathsOf(condition);
  const primary = paths.filter(({ steps: [root] }) => isPrimary(root));
  if (primary.length === 0) return { scope: "split", condition };
  if (known.hasPrimary !== true)
    fail("expected no `primary.` without several splits: the report is about one split");
  const [other] = paths.filter(({ steps: [root] }) => !isPrimary(root));
  if (other !== undefined)
    fail(`expected \`primary.\` before every name of the condition, found ${nameOf(other)}`);
  return { scope: "primary", condition: withoutPrimary(condition) };
}

function isPrimary(root: Step | undefined): boolean {
  return root?.name === "primary" && root.args.length === 0;
}

function pathsOf(condition: Condition): Extract<Operand, { kind: "path" }>[] {
  if (condition.kind === "not") return pathsOf(condition.part);
  if (condition.kind !== "comparison") return condition.parts.flatMap(pathsOf);
  return [condition.left, condition.right].flatMap((operand) => (operand.kind === "path" ? operand : []));
}

function withoutPrimary(condition: Condition): Condition {
  if (condition.kind === "not") return { ...condition, part: withoutPrimary(condition.part) };
  if (condition.kind !== "comparison")
    return { ...condition, parts: condition.parts.map((part) => withoutPrimary(part)) };
  const strip = (operand: Operand): Operand =>
    operand.kind === "path" ? { ...operand, steps: operand.steps.slice(1) } : operand;
  return { ...condition, left: strip(condition.left), right: strip(condition.right) };
}

function refuse(text: string, problem: string): never {
  throw new CliprpnError(
    "bad_input",
    `--fail-if ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}: ${problem}`,
  );
}

type Test = (figures: ConditionFigures, values: Values) => boolean;

function compile(condition: Condition, fail: (problem: string) => never, known: KnownNames): Test {
  if (condition.kind === "comparison") return comparison(condition, fail, known);
  if (condition.kind === "not") {
    const part = compile(condition.part, fail, known);
    return (figures, values) => !part(figures, values);
  }
  const parts = condition.parts.map((part) => compile(part, fail, known));
  // All parts are computed, so that a value that is missing is never overlooked.
  return (figures, values) => {
    const results = parts.map((part) => part(figures, values));
    return condition.kind === "or" ? results.includes(true) : !results.includes(false);
  };
}

function comparison(
  { left, operator, right }: Extract<Condition, { kind: "comparison" }>,
  fail: (problem: string) => never,
  known: KnownNames,
): Test {
  const a = operandValue(left, fail, known);
  const b = operandValue(right, fail, known);
  if (a.type !== b.type)
    fail(`expected two numbers or two texts beside ${operator}, found ${nameOf(left)} and ${nameOf(right)}`);
  if (a.type === "text" && operator !== "==" && operator !== "!=")
    fail(`expected == or != between texts, found ${operator}`);
  checkText(right, left, a, fail);
  checkText(left, right, b, fail);
  return (figures, values) => {
    const [x, y] = [a, b].map((each) => each.read(figures, values));
    return compare(x ?? 0, operator, y ?? 0);
  };
}

function someOf(labels: readonly string[], max = 30): string {
  const more = labels.length > max ? `, and ${labels.length - max} more` : "";
  return `${labels.slice(0, max).join(", ")}${more}`;
}

interface Value {
  type: Quantity["type"];
  /** The texts that it can be. */
  values?: readonly string[];
  read: (figures: ConditionFigures, values: Values) => number | string;
}

function operandValue(operand: Operand, fail: (problem: string) => never, known: KnownNames): Value {
  if (operand.kind !== "path") return { type: operand.kind, read: () => operand.value };
  const name = nameOf(operand);
  const quantity = quantityOf(operand.steps, known);
  if (quantity === undefined)
    fail(
      `expected a value that a report has, found ${name}. There are:\n  ${quantityNames}\n  LABEL: ${someOf(known.labels)}${known.baseline === undefined ? "\n  baseline: none, this experiment declares no baseline" : ""}`,
    );
  const read = (figures: ConditionFigures, values: Values): number | string => {
    const value = quantity.read(figures);
    if (value === null || value === undefined)
      return fail(
        `expected a value of ${name}, found none in the ${figures.where}: it compares nothing of this kind, or has fewer than 30 images`,
      );
    values.set(name, value);
    return value;
  };
  return quantity.type === "text"
    ? { type: "text", values: quantity.values, read }
    : { type: "number", read };
}

/** A text that a value never has is a typing error: the condition would never hold. */
function checkText(
  typed: Operand,
  other: Operand,
  { values }: Value,
  fail: (problem: string) => never,
): void {
  if (typed.kind === "text" && values !== undefined && !values.includes(typed.value))
    fail(`expected ${nameOf(other)} to be compared with one of ${someOf(values)}, found ${nameOf(typed)}`);
}

function compare(a: number | string, operator: Operator, b: number | string): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "==":
      return a === b;
    case "!=":
      return a !== b;
  }
}

function nameOf(operand: Operand): string {
  if (operand.kind !== "path") return JSON.stringify(operand.value);
  return operand.steps
    .map(({ name, args }) =>
      args.length === 0 ? name : `${name}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`,
    )
    .join(".");
}

/** Four significant digits: more than the report shows, so that a value beside a limit is not rounded to it. */
function format(value: number | string): string {
  return typeof value === "string" ? JSON.stringify(value) : String(Number(value.toPrecision(4)));
}
