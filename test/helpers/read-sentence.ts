/**
 * Parses a sentence of the demo from its words alone and evaluates it on the scene, exactly and without
 * margins. Shares no code with the generator, so that it can check it.
 */
import type { Scene, SceneObject } from "../../src/dataset/demo/scene.ts";

/** All objects that the sentence describes. @throws Error if the sentence does not parse. */
export function readSentence(text: string, scene: Scene): SceneObject[] {
  const words = text.replace(/^(the|an?) /, "");
  for (const [pattern, read] of forms) {
    const match = pattern.exec(words);
    if (match !== null) return read(match.slice(1), scene);
  }
  throw new Error(`cannot parse: ${text}`);
}

type Read = (parts: string[], scene: Scene) => SceneObject[];

const colors = "red|green|blue|yellow|purple|orange|black|white";
const noun = "((?:\\w+ )?\\w+)";
const form = (pattern: string, read: Read): [RegExp, Read] => [new RegExp(`^${pattern}$`), read];

const forms: [RegExp, Read][] = [
  form(`not the (${colors}) (\\w+), the other one`, ([color, kind], scene) =>
    named(kind, scene).filter((object) => object.color !== color),
  ),
  form(`not the (\\w+)most ${noun}, the other one`, ([side, what], scene) =>
    without(named(what, scene), outermost(named(what, scene), side)),
  ),
  form(`${noun} that is not (?:on|at) the (\\w+)`, ([what, side], scene) =>
    without(named(what, scene), outermost(named(what, scene), side)),
  ),
  form(`${noun} that is not nearest the (\\w+) edge`, ([what, side], scene) =>
    without(named(what, scene), outermost(named(what, scene), side)),
  ),
  form(`${noun} that is not (${colors})`, ([what, color], scene) =>
    named(what, scene).filter((object) => object.color !== color),
  ),
  form(`${noun} in any color but (${colors})`, ([what, color], scene) =>
    named(what, scene).filter((object) => object.color !== color),
  ),
  form(`${noun} (?:without a|that has no|that does not have a) (dot|stripe)`, ([what, mark], scene) =>
    named(what, scene).filter((object) => object.mark !== mark),
  ),
  form(`${noun} (?:with a|that has a|bearing a) (dot|stripe)(?: on it)?`, ([what, mark], scene) =>
    named(what, scene).filter((object) => object.mark === mark),
  ),
  form(`${noun} (?:on|at) the (left|right|top|bottom)`, ([what, side], scene) =>
    outermost(named(what, scene), side),
  ),
  form(`${noun} nearest the (\\w+) edge`, ([what, side], scene) => outermost(named(what, scene), side)),
  form(`(left|right|top|bottom)most ${noun}`, ([side, what], scene) => outermost(named(what, scene), side)),
  form(`(largest|smallest) ${noun}`, ([size, what], scene) => sized(named(what, scene), size)),
  form(`${noun} (?:that is|of) (largest|smallest)(?: size)?`, ([what, size], scene) =>
    sized(named(what, scene), size),
  ),
  form(
    `${noun} (?:that is |that stands )?(?:to the )?(left of|right of|above|below|closest to) the (.+)`,
    ([what, relation, landmark = ""], scene) => {
      const [object, ...others] = readSentence(landmark.replace(" which is ", " that is "), scene);
      if (object === undefined || others.length > 0)
        throw new Error(`expected exactly one landmark: ${landmark}`);
      return related(without(named(what, scene), [object]), relation, object);
    },
  ),
  form(`(\\w+) (?:that is|in) (${colors})`, ([kind, color], scene) => named(`${color} ${kind}`, scene)),
  form(noun, ([what], scene) => named(what, scene)),
];

function named(noun_phrase = "", scene: Scene): SceneObject[] {
  const [kind = "", color] = noun_phrase.split(" ").toReversed();
  return scene.objects.filter(
    (object) => object.kind.name === kind && (color === undefined || object.color === color),
  );
}

function outermost(objects: SceneObject[], side = ""): SceneObject[] {
  const score = { left: -1, right: 1, top: -1, bottom: 1 }[side];
  if (score === undefined) throw new Error(`unknown side: ${side}`);
  const axis = side === "left" || side === "right" ? 0 : 1;
  return largest(objects, (object) => score * center(object)[axis]);
}

function sized(objects: SceneObject[], size = ""): SceneObject[] {
  return largest(objects, (object) => (size === "largest" ? 1 : -1) * area(object));
}

function related(objects: SceneObject[], relation = "", landmark: SceneObject): SceneObject[] {
  const [x, y] = center(landmark);
  return relation === "closest to"
    ? largest(objects, (object) => -Math.hypot(center(object)[0] - x, center(object)[1] - y))
    : objects.filter((object) => {
        const [objectX, objectY] = center(object);
        return { "left of": objectX < x, "right of": objectX > x, above: objectY < y, below: objectY > y }[
          relation
        ];
      });
}

function largest(objects: SceneObject[], score: (object: SceneObject) => number): SceneObject[] {
  const best = Math.max(...objects.map(score));
  return objects.filter((object) => score(object) === best);
}

function without(objects: SceneObject[], others: SceneObject[]): SceneObject[] {
  return objects.filter((object) => !others.includes(object));
}

function center({ box_xyxy: [x1, y1, x2, y2] }: SceneObject): [number, number] {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

function area({ box_xyxy: [x1, y1, x2, y2] }: SceneObject): number {
  return (x2 - x1) * (y2 - y1);
}
