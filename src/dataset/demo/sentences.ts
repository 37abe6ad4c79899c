import { denotation, type Expression, type Modifier, type Relation, type Side } from "./expression.ts";
import { type Color, colorNames } from "./kinds.ts";
import { phrase, sampleWording, type Wording } from "./phrase.ts";
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
 * Writes a sentence of the stratum about the scene and, if changing one word changes the target, that
 * sentence as well.
 *
 * @returns no sentence, one sentence, or a minimal pair.
 */
export function writeSentences(random: Random, scene: Scene, stratum: Stratum, split: Split): Sentence[] {
  const candidates = random.shuffled(expressions(scene, stratum, split)).flatMap((expression) => {
    const target = uniqueTarget(expression, scene);
    return target !== undefined && isNeeded(expression, scene) ? [{ expression, target }] : [];
  });
  for (const { expression, target } of candidates) {
    const wording = sampleWording(random);
    const first: Sentence = { text: phrase(expression, wording), expression, stratum, target };
    const twin = random
      .shuffled(variants(expression).filter((variant) => isAllowed(variant, split)))
      .map((variant) => twinOf(first, variant, wording, scene))
      .find((sentence) => sentence !== undefined);
    if (twin !== undefined) return [first, twin];
  }
  const [single] = candidates;
  if (single === undefined) return [];
  return [
    {
      text: phrase(single.expression, sampleWording(random)),
      expression: single.expression,
      stratum,
      target: single.target,
    },
  ];
}

/** Two-hop chains held out for test: "right of" something that is "below" something else. */
export function isHeldOutChain(expression: Expression): boolean {
  const { modifier } = expression;
  if (modifier?.type !== "relation" || modifier.to.modifier?.type !== "relation") return false;
  return modifier.relation === "right of" && modifier.to.modifier.relation === "below";
}

function isAllowed(expression: Expression, split: Split): boolean {
  return split === "test" || !isHeldOutChain(expression);
}

function twinOf(
  first: Sentence,
  expression: Expression,
  wording: Wording,
  scene: Scene,
): Sentence | undefined {
  const target = uniqueTarget(expression, scene);
  const text = phrase(expression, wording);
  if (target === undefined || target === first.target || numWordsChanged(first.text, text) !== 1)
    return undefined;
  return { text, expression, stratum: first.stratum, target };
}

/** The referable object that the expression describes, if there is exactly one. */
function uniqueTarget(expression: Expression, scene: Scene): SceneObject | undefined {
  const objects = denotation(expression, scene);
  const [target] = objects ?? [];
  return objects?.length === 1 && target?.referable === true ? target : undefined;
}

/**
 * True if the modifier (or, without one, the color) is necessary: several objects fit the rest of the
 * expression.
 */
function isNeeded(expression: Expression, scene: Scene): boolean {
  const { modifier, ...rest } = expression;
  const without: Expression = modifier === undefined ? { kind: expression.kind } : rest;
  if ((denotation(without, scene)?.length ?? 0) < 2) return false;
  if (modifier?.type !== "relation" || modifier.to.modifier === undefined) return true;
  return (denotation({ kind: modifier.to.kind, ...colorOf(modifier.to) }, scene)?.length ?? 0) > 1;
}

function expressions(scene: Scene, stratum: Stratum, split: Split): Expression[] {
  const candidates = scene.objects.filter(({ referable }) => referable);
  const [first] = candidates;
  if (first === undefined) return [];
  const kind = first.kind.name;
  const sharedColor = candidates.every(({ color }) => color === first.color)
    ? [{}, { color: first.color }]
    : [{}];
  const withModifiers = (modifiers: Modifier[]): Expression[] =>
    sharedColor.flatMap((color) => modifiers.map((modifier) => ({ kind, ...color, modifier })));
  switch (stratum) {
    case "attribute":
      return candidates.map(({ color }) => ({ kind, color }));
    case "position":
      return withModifiers(sides.map((side) => ({ type: "side", side })));
    case "size_or_part":
      return withModifiers([
        ...sizes.map((size): Modifier => ({ type: "size", size })),
        ...marks.map((mark): Modifier => ({ type: "mark", mark })),
      ]);
    case "negation":
      return withModifiers([
        ...candidates.map(({ color }): Modifier => ({ type: "not_color", color })),
        ...marks.map((mark): Modifier => ({ type: "not_mark", mark })),
        ...(candidates.length === 2 ? sides.map((side): Modifier => ({ type: "not_side", side })) : []),
      ]);
    case "relation":
      return withModifiers(relationsTo(landmarks(scene)));
    case "two_hop": {
      const chained = landmarks(scene).flatMap((near) =>
        relationsTo(landmarks(scene).filter((far) => far.kind !== near.kind))
          .filter(({ relation }) => relation !== "closest to")
          .map((modifier): Expression => ({ ...near, modifier })),
      );
      return withModifiers(relationsTo(chained)).filter((expression) => isAllowed(expression, split));
    }
  }
}

type RelationModifier = Extract<Modifier, { type: "relation" }>;

function relationsTo(landmarks: Expression[]): RelationModifier[] {
  return landmarks.flatMap((to) =>
    relations.map((relation): RelationModifier => ({ type: "relation", relation, to })),
  );
}

/** Expressions for the small objects: each by kind alone, and by color and kind. */
function landmarks(scene: Scene): Expression[] {
  const small = scene.objects.filter(({ referable }) => !referable);
  const all = small.flatMap(({ kind, color }): Expression[] => [
    { kind: kind.name },
    { kind: kind.name, color },
  ]);
  return [...new Map(all.map((expression) => [JSON.stringify(expression), expression])).values()];
}

/** All expressions that differ in one element. */
function variants(expression: Expression): Expression[] {
  const { modifier } = expression;
  if (modifier === undefined) return otherColors(expression.color).map((color) => ({ ...expression, color }));
  return modifierVariants(modifier).map((variant) => ({ ...expression, modifier: variant }));
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

/** Number of words that differ; Infinity if the sentences differ in length. */
function numWordsChanged(a: string, b: string): number {
  const [words_a, words_b] = [a.split(" "), b.split(" ")];
  if (words_a.length !== words_b.length) return Number.POSITIVE_INFINITY;
  return words_a.filter((word, index) => word !== words_b[index]).length;
}

const sides: readonly Side[] = ["left", "right", "top", "bottom"];
const sizes = ["largest", "smallest"] as const;
const marks = ["dot", "stripe"] as const;
const relations: readonly Relation[] = ["left of", "right of", "above", "below", "closest to"];
