import type { Expression, Modifier, Relation, Side } from "./expression.ts";
import type { Random } from "./random.ts";

/** Choice of words; both sentences of a minimal pair share it, so that they differ in one word. */
export interface Wording {
  article: string;
  color: number;
  modifier: number;
  landmark: number;
}

export function sampleWording(random: Random): Wording {
  return {
    article: random.pick(["the", "the", "the", "a", ""]),
    color: random.integer(0, 2),
    modifier: random.integer(0, 2),
    landmark: random.integer(0, 1),
  };
}

/** The sentence for an expression, in the given wording. */
export function phrase(expression: Expression, wording: Wording): string {
  const { modifier } = expression;
  const noun = nounPhrase(expression);
  const text =
    modifier === undefined
      ? plainPhrase(expression, wording, noun)
      : modifiedPhrase(expression, modifier, wording, noun);
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^a (?=[aeiou])/, "an ");
}

function isSuperlative(modifier: Modifier): boolean {
  return (
    ["side", "not_side", "size"].includes(modifier.type) ||
    (modifier.type === "relation" && modifier.relation === "closest to")
  );
}

function plainPhrase(expression: Expression, wording: Wording, noun: string): string {
  const { article } = wording;
  if (expression.color === undefined) return `${article} ${noun}`;
  return (
    [
      `${article} ${noun}`,
      `${article} ${expression.kind} that is ${expression.color}`,
      `${article} ${expression.kind} in ${expression.color}`,
    ][wording.color] ?? noun
  );
}

function modifiedPhrase(expression: Expression, modifier: Modifier, wording: Wording, noun: string): string {
  const { modifier: form, landmark } = wording;
  const article = isSuperlative(modifier) && wording.article === "a" ? "the" : wording.article;
  const choose = (forms: string[]): string => forms[form] ?? forms[0] ?? "";
  switch (modifier.type) {
    case "side":
      return choose([
        `${article} ${noun} ${onSide[modifier.side]}`,
        `${article} ${mostSide[modifier.side]} ${noun}`,
        `${article} ${noun} nearest the ${modifier.side} edge`,
      ]);
    case "size":
      return choose([
        `${article} ${modifier.size} ${noun}`,
        `${article} ${noun} that is ${modifier.size}`,
        `${article} ${noun} of ${modifier.size} size`,
      ]);
    case "mark":
      return choose([
        `${article} ${noun} with a ${modifier.mark}`,
        `${article} ${noun} that has a ${modifier.mark} on it`,
        `${article} ${noun} bearing a ${modifier.mark}`,
      ]);
    case "not_color":
      return choose([
        `${article} ${noun} that is not ${modifier.color}`,
        `${article} ${noun} in any color but ${modifier.color}`,
        `not the ${modifier.color} ${expression.kind}, the other one`,
      ]);
    case "not_mark":
      return choose([
        `${article} ${noun} without a ${modifier.mark}`,
        `${article} ${noun} that has no ${modifier.mark}`,
        `${article} ${noun} that does not have a ${modifier.mark}`,
      ]);
    case "not_side":
      return choose([
        `${article} ${noun} that is not ${onSide[modifier.side]}`,
        `not the ${mostSide[modifier.side]} ${noun}, the other one`,
        `${article} ${noun} that is not nearest the ${modifier.side} edge`,
      ]);
    case "relation": {
      const to = landmarkPhrase(modifier.to, landmark);
      const relation = relationWords[modifier.relation][form] ?? modifier.relation;
      return `${article} ${noun} ${relation} ${to}`;
    }
  }
}

function landmarkPhrase(to: Expression, form: number): string {
  const noun = nounPhrase(to);
  if (to.modifier?.type !== "relation") return `the ${noun}`;
  const relation = relationWords[to.modifier.relation][0] ?? to.modifier.relation;
  const link = form === 0 ? "that is" : "which is";
  return `the ${noun} ${link} ${relation} the ${nounPhrase(to.modifier.to)}`;
}

function nounPhrase({ color, kind }: Expression): string {
  return color === undefined ? kind : `${color} ${kind}`;
}

const onSide: Record<Side, string> = {
  left: "on the left",
  right: "on the right",
  top: "at the top",
  bottom: "at the bottom",
};
const mostSide: Record<Side, string> = {
  left: "leftmost",
  right: "rightmost",
  top: "topmost",
  bottom: "bottommost",
};
const relationWords: Record<Relation, readonly string[]> = {
  "left of": ["left of", "to the left of", "that stands left of"],
  "right of": ["right of", "to the right of", "that stands right of"],
  above: ["above", "that is above", "that stands above"],
  below: ["below", "that is below", "that stands below"],
  "closest to": ["closest to", "that is closest to", "that stands closest to"],
};
