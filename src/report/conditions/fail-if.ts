import { CliprpnError } from "../../contract/errors.ts";
import type { Summary } from "../../contract/generated/types.ts";
import {
  type Condition,
  type Operand,
  type Operator,
  parseCondition,
  SyntaxProblem,
} from "./parse-condition.ts";
import { type KnownNames, type Quantity, quantityNames, quantityOf } from "./quantities.ts";

/** A condition of --fail-if whose names are known. */
export interface FailIf {
  text: string;
  /** The condition's values if it holds; undefined if it does not. @throws CliprpnError bad_input if a value is missing. */
  holds: (summary: Summary) => Values | undefined;
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
    const test = compile(parse(text), (problem) => refuse(text, problem), known);
    return {
      text,
      holds: (summary) => {
        const values: Values = new Map();
        return test(summary, values) ? values : undefined;
      },
    };
  });
}

/** The conditions that hold, each with its values: "difference.acc_at_50.low < 0 (difference.acc_at_50.low is -0.4)". */
export function heldConditions(conditions: readonly FailIf[], summary: Summary): string[] {
  return conditions.flatMap(({ text, holds }) => {
    const values = holds(summary);
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

function refuse(text: string, problem: string): never {
  throw new CliprpnError(
    "bad_input",
    `--fail-if ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}: ${problem}`,
  );
}

type Test = (summary: Summary, values: Values) => boolean;

function compile(condition: Condition, fail: (problem: string) => never, known: KnownNames): Test {
  if (condition.kind === "comparison") return comparison(condition, fail, known);
  if (condition.kind === "not") {
    const part = compile(condition.part, fail, known);
    return (summary, values) => !part(summary, values);
  }
  const parts = condition.parts.map((part) => compile(part, fail, known));
  // All parts are computed, so that a value that is missing is never overlooked.
  return (summary, values) => {
    const results = parts.map((part) => part(summary, values));
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
  return (summary, values) => {
    const [x, y] = [a, b].map((each) => each.read(summary, values));
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
  read: (summary: Summary, values: Values) => number | string;
}

function operandValue(operand: Operand, fail: (problem: string) => never, known: KnownNames): Value {
  if (operand.kind !== "path") return { type: operand.kind, read: () => operand.value };
  const name = nameOf(operand);
  const quantity = quantityOf(operand.steps, known);
  if (quantity === undefined)
    fail(
      `expected a value that a report has, found ${name}. There are:\n  ${quantityNames}\n  LABEL: ${someOf(known.labels)}${known.baseline === undefined ? "\n  baseline: none, this experiment declares no baseline" : ""}`,
    );
  const read = (summary: Summary, values: Values): number | string => {
    const value = quantity.read(summary);
    if (value === null || value === undefined)
      return fail(
        `expected a value of ${name}, found none in the report on ${summary.split}: it compares nothing of this kind, or has fewer than 30 images`,
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
