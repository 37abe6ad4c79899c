import { denotation, type Expression, type Modifier, type Relation, type Side } from "./expression.ts";
import { type Color, colorNames } from "./kinds.ts";
import { drawWording, phrase, type Wording } from "./phrase.ts";
import type { Random } from "./random.ts";
import type { Scene, SceneObject, Split } from "./scene.ts";

export const strata = ["attribute", "position", "relation", "size_or_part", "two_hop", "negation"] as const;
export type Stratum = (typeof strata)[number];

export interface Sentence {
  text: string;
  expression: Expression;
  stratum: Stratum;
  target: SceneObject;
}

/**
 * A sentence of the stratum about the scene, and where one word changed gives another answer, that sentence too.
 *
 * @returns nothing, one sentence, or a minimal pair.
 */
export function writeSentences(random: Random, scene: Scene, stratum: Stratum, split: Split): Sentence[] {
  const found = random.shuffled(expressions(scene, stratum, split)).flatMap((expression) => {
    const target = onlyAnswer(expression, scene);
    return target !== undefined && isNeeded(expression, scene) ? [{ expression, target }] : [];
  });
  for (const { expression, target } of found) {
    const wording = drawWording(random);
    const first: Sentence = { text: phrase(expression, wording), expression, stratum, target };
    const twin = random
      .shuffled(variants(expression).filter((other) => maySay(other, split)))
      .map((other) => twinOf(first, other, wording, scene))
      .find((other) => other !== undefined);
    if (twin !== undefined) return [first, twin];
  }
  const [single] = found;
  if (single === undefined) return [];
  return [
    {
      text: phrase(single.expression, drawWording(random)),
      expression: single.expression,
      stratum,
      target: single.target,
    },
  ];
}

/** Held out for test: the two-hop chains that ask for a right-hand neighbour of something below. */
export function isHeldOutChain(expression: Expression): boolean {
  const { modifier } = expression;
  if (modifier?.type !== "relation" || modifier.to.modifier?.type !== "relation") return false;
  return modifier.relation === "right of" && modifier.to.modifier.relation === "below";
}

function maySay(expression: Expression, split: Split): boolean {
  return split === "test" || !isHeldOutChain(expression);
}

function twinOf(
  first: Sentence,
  expression: Expression,
  wording: Wording,
  scene: Scene,
): Sentence | undefined {
  const target = onlyAnswer(expression, scene);
  const text = phrase(expression, wording);
  if (target === undefined || target === first.target || wordsChanged(first.text, text) !== 1)
    return undefined;
  return { text, expression, stratum: first.stratum, target };
}

/** The one referable object that the expression is true of. */
function onlyAnswer(expression: Expression, scene: Scene): SceneObject | undefined {
  const objects = denotation(expression, scene);
  const [target] = objects ?? [];
  return objects?.length === 1 && target?.referable === true ? target : undefined;
}

/** Whether the modifier (or the colour) does the telling apart: without it several objects would fit. */
function isNeeded(expression: Expression, scene: Scene): boolean {
  const { modifier, ...rest } = expression;
  const without: Expression = modifier === undefined ? { kind: expression.kind } : rest;
  if ((denotation(without, scene)?.length ?? 0) < 2) return false;
  if (modifier?.type !== "relation" || modifier.to.modifier === undefined) return true;
  return (denotation({ kind: modifier.to.kind, ...colorOf(modifier.to) }, scene)?.length ?? 0) > 1;
}

function expressions(scene: Scene, stratum: Stratum, split: Split): Expression[] {
  const heroes = scene.objects.filter(({ referable }) => referable);
  const [hero] = heroes;
  if (hero === undefined) return [];
  const kind = hero.kind.name;
  const sharedColor = heroes.every(({ color }) => color === hero.color) ? [{}, { color: hero.color }] : [{}];
  const withModifiers = (modifiers: Modifier[]): Expression[] =>
    sharedColor.flatMap((color) => modifiers.map((modifier) => ({ kind, ...color, modifier })));
  switch (stratum) {
    case "attribute":
      return heroes.map(({ color }) => ({ kind, color }));
    case "position":
      return withModifiers(sides.map((side) => ({ type: "side", side })));
    case "size_or_part":
      return withModifiers([
        ...sizes.map((size): Modifier => ({ type: "size", size })),
        ...marks.map((mark): Modifier => ({ type: "mark", mark })),
      ]);
    case "negation":
      return withModifiers([
        ...heroes.map(({ color }): Modifier => ({ type: "not_color", color })),
        ...marks.map((mark): Modifier => ({ type: "not_mark", mark })),
        ...(heroes.length === 2 ? sides.map((side): Modifier => ({ type: "not_side", side })) : []),
      ]);
    case "relation":
      return withModifiers(relationsTo(landmarks(scene)));
    case "two_hop": {
      const chained = landmarks(scene).flatMap((near) =>
        relationsTo(landmarks(scene).filter((far) => far.kind !== near.kind))
          .filter(({ relation }) => relation !== "closest to")
          .map((modifier): Expression => ({ ...near, modifier })),
      );
      return withModifiers(relationsTo(chained)).filter((expression) => maySay(expression, split));
    }
  }
}

type RelationModifier = Extract<Modifier, { type: "relation" }>;

function relationsTo(landmarks: Expression[]): RelationModifier[] {
  return landmarks.flatMap((to) =>
    relations.map((relation): RelationModifier => ({ type: "relation", relation, to })),
  );
}

/** The small objects, each by kind and by colour and kind. */
function landmarks(scene: Scene): Expression[] {
  const small = scene.objects.filter(({ referable }) => !referable);
  const all = small.flatMap(({ kind, color }): Expression[] => [
    { kind: kind.name },
    { kind: kind.name, color },
  ]);
  return [...new Map(all.map((expression) => [JSON.stringify(expression), expression])).values()];
}

/** Every expression that differs in one atom. */
function variants(expression: Expression): Expression[] {
  const { modifier } = expression;
  if (modifier === undefined) return otherColors(expression.color).map((color) => ({ ...expression, color }));
  return modifierVariants(modifier).map((other) => ({ ...expression, modifier: other }));
}

function modifierVariants(modifier: Modifier): Modifier[] {
  switch (modifier.type) {
    case "side":
    case "not_side":
      return sides.map((side) => ({ ...modifier, side }));
    case "size":
      return sizes.map((size) => ({ ...modifier, size }));
    case "mark":
    case "not_mark":
      return marks.map((mark) => ({ ...modifier, mark }));
    case "not_color":
      return otherColors(modifier.color).map((color) => ({ ...modifier, color }));
    case "relation":
      return [
        ...relations.map((relation): Modifier => ({ ...modifier, relation })),
        ...otherColors(modifier.to.color).map(
          (color): Modifier => ({ ...modifier, to: { ...modifier.to, color } }),
        ),
        ...(modifier.to.modifier === undefined
          ? []
          : variants(modifier.to).map((to): Modifier => ({ ...modifier, to }))),
      ];
  }
}

function otherColors(color: Color | undefined): Color[] {
  return color === undefined ? [] : colorNames.filter((other) => other !== color);
}

function colorOf({ color }: Expression): { color?: Color } {
  return color === undefined ? {} : { color };
}

/** How many words differ; Infinity when the sentences are not equally long. */
function wordsChanged(a: string, b: string): number {
  const [first, second] = [a.split(" "), b.split(" ")];
  if (first.length !== second.length) return Number.POSITIVE_INFINITY;
  return first.filter((word, index) => word !== second[index]).length;
}

const sides: readonly Side[] = ["left", "right", "top", "bottom"];
const sizes = ["largest", "smallest"] as const;
const marks = ["dot", "stripe"] as const;
const relations: readonly Relation[] = ["left of", "right of", "above", "below", "closest to"];
