import type { Color } from "./kinds.ts";
import type { Mark, Scene, SceneObject } from "./scene.ts";

export type Side = "left" | "right" | "top" | "bottom";
export type Relation = "left of" | "right of" | "above" | "below" | "closest to";

/** The logical form of a referring expression: a kind, and optionally a color and one modifier. */
export interface Expression {
  kind: string;
  color?: Color;
  modifier?: Modifier;
}

export type Modifier =
  | { type: "side"; side: Side }
  | { type: "size"; size: "largest" | "smallest" }
  | { type: "mark"; mark: Exclude<Mark, "none"> }
  | { type: "relation"; relation: Relation; to: Expression }
  | { type: "not_color"; color: Color }
  | { type: "not_mark"; mark: Exclude<Mark, "none"> }
  | { type: "not_side"; side: Side };

/**
 * The objects that the expression describes.
 *
 * @returns undefined if it is ambiguous: two objects too close to call, or a landmark that is not exactly one
 *   object.
 */
export function denotation(expression: Expression, scene: Scene): SceneObject[] | undefined {
  const candidates = scene.objects.filter(
    ({ kind, color }) =>
      kind.name === expression.kind && (expression.color === undefined || color === expression.color),
  );
  return expression.modifier === undefined
    ? candidates
    : applyModifier(candidates, expression.modifier, scene);
}

function applyModifier(
  candidates: SceneObject[],
  modifier: Modifier,
  scene: Scene,
): SceneObject[] | undefined {
  switch (modifier.type) {
    case "side":
      return extreme(candidates, (object) => outward(object, modifier.side, scene), sideMargin);
    case "size":
      return extreme(
        candidates,
        (object) => Math.log(area(object)) * (modifier.size === "largest" ? 1 : -1),
        Math.log(1.6),
      );
    case "mark":
      return candidates.filter(({ mark }) => mark === modifier.mark);
    case "not_color":
      return candidates.filter(({ color }) => color !== modifier.color);
    case "not_mark":
      return candidates.filter(({ mark }) => mark !== modifier.mark);
    case "not_side": {
      const outermost = extreme(candidates, (object) => outward(object, modifier.side, scene), sideMargin);
      return outermost === undefined ? undefined : candidates.filter((object) => !outermost.includes(object));
    }
    case "relation": {
      const landmarks = denotation(modifier.to, scene);
      const [landmark] = landmarks ?? [];
      if (landmark === undefined || landmarks?.length !== 1) return undefined;
      return related(
        candidates.filter((object) => object !== landmark),
        modifier.relation,
        landmark,
        scene,
      );
    }
  }
}

function related(
  candidates: SceneObject[],
  relation: Relation,
  landmark: SceneObject,
  scene: Scene,
): SceneObject[] | undefined {
  if (relation === "closest to") {
    return extreme(candidates, (object) => -Math.log(1 + distance(object, landmark)), Math.log(1.5));
  }
  const side = relationSide[relation];
  const gaps = candidates.map((object) => outward(object, side, scene) - outward(landmark, side, scene));
  // Almost level: both answers would be correct.
  if (gaps.some((gap) => Math.abs(gap) < relationMargin)) return undefined;
  return candidates.filter((_, index) => (gaps[index] ?? 0) > 0);
}

/** The object whose score exceeds all others by a margin; undefined if the best two are too close. */
function extreme(
  candidates: SceneObject[],
  score: (object: SceneObject) => number,
  margin: number,
): SceneObject[] | undefined {
  const ranked = [...candidates].sort((a, b) => score(b) - score(a));
  const [first, second] = ranked;
  if (first === undefined) return [];
  return second !== undefined && score(first) - score(second) < margin ? undefined : [first];
}

/** Distance of the object's center towards a side, in normalized coordinates. */
function outward(object: SceneObject, side: Side, scene: Scene): number {
  const { x, y } = center(object);
  return { left: -x / scene.width, right: x / scene.width, top: -y / scene.height, bottom: y / scene.height }[
    side
  ];
}

function distance(a: SceneObject, b: SceneObject): number {
  const [center_a, center_b] = [center(a), center(b)];
  return Math.hypot(center_a.x - center_b.x, center_a.y - center_b.y);
}

function center({ box_xyxy: [x1, y1, x2, y2] }: SceneObject): { x: number; y: number } {
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
}

function area({ box_xyxy: [x1, y1, x2, y2] }: SceneObject): number {
  return (x2 - x1) * (y2 - y1);
}

const sideMargin = 0.12;
const relationMargin = 0.07;
const relationSide = { "left of": "left", "right of": "right", above: "top", below: "bottom" } as const;
