import type { Expression, Modifier, Relation, Side } from "./expression.ts";
import type { Random } from "./random.ts";

/** How an expression is worded; drawn once for a minimal pair, so that its two sentences differ in one word. */
export interface Wording {
  article: string;
  color: number;
  modifier: number;
  landmark: number;
}

export function drawWording(random: Random): Wording {
  return {
    article: random.pick(["the", "the", "the", "a", ""]),
    color: random.whole(0, 2),
    modifier: random.whole(0, 2),
    landmark: random.whole(0, 1),
  };
}

/** The sentence for an expression. */
export function phrase(expression: Expression, wording: Wording): string {
  const { modifier } = expression;
  const thing = nounPhrase(expression);
  const text =
    modifier === undefined
      ? plain(expression, wording, thing)
      : modified(expression, modifier, wording, thing);
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

function plain(expression: Expression, wording: Wording, thing: string): string {
  const { article } = wording;
  if (expression.color === undefined) return `${article} ${thing}`;
  return (
    [
      `${article} ${thing}`,
      `${article} ${expression.kind} that is ${expression.color}`,
      `${article} ${expression.kind} in ${expression.color}`,
    ][wording.color] ?? thing
  );
}

function modified(expression: Expression, modifier: Modifier, wording: Wording, thing: string): string {
  const { modifier: way, landmark } = wording;
  const article = isSuperlative(modifier) && wording.article === "a" ? "the" : wording.article;
  const at = (forms: string[]): string => forms[way] ?? forms[0] ?? "";
  switch (modifier.type) {
    case "side":
      return at([
        `${article} ${thing} ${onSide[modifier.side]}`,
        `${article} ${mostSide[modifier.side]} ${thing}`,
        `${article} ${thing} nearest the ${modifier.side} edge`,
      ]);
    case "size":
      return at([
        `${article} ${modifier.size} ${thing}`,
        `${article} ${thing} that is ${modifier.size}`,
        `${article} ${thing} of ${modifier.size} size`,
      ]);
    case "mark":
      return at([
        `${article} ${thing} with a ${modifier.mark}`,
        `${article} ${thing} that has a ${modifier.mark} on it`,
        `${article} ${thing} bearing a ${modifier.mark}`,
      ]);
    case "not_color":
      return at([
        `${article} ${thing} that is not ${modifier.color}`,
        `${article} ${thing} in any color but ${modifier.color}`,
        `not the ${modifier.color} ${expression.kind}, the other one`,
      ]);
    case "not_mark":
      return at([
        `${article} ${thing} without a ${modifier.mark}`,
        `${article} ${thing} that has no ${modifier.mark}`,
        `${article} ${thing} that does not have a ${modifier.mark}`,
      ]);
    case "not_side":
      return at([
        `${article} ${thing} that is not ${onSide[modifier.side]}`,
        `not the ${mostSide[modifier.side]} ${thing}, the other one`,
        `${article} ${thing} that is not nearest the ${modifier.side} edge`,
      ]);
    case "relation": {
      const to = landmarkPhrase(modifier.to, landmark);
      const relation = relationWords[modifier.relation][way] ?? modifier.relation;
      return `${article} ${thing} ${relation} ${to}`;
    }
  }
}

function landmarkPhrase(to: Expression, way: number): string {
  const thing = nounPhrase(to);
  if (to.modifier?.type !== "relation") return `the ${thing}`;
  const relation = relationWords[to.modifier.relation][0] ?? to.modifier.relation;
  const link = way === 0 ? "that is" : "which is";
  return `the ${thing} ${link} ${relation} the ${nounPhrase(to.modifier.to)}`;
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
