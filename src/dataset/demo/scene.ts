import { type Color, colorNames, isHeldOut, type Kind, kinds } from "./kinds.ts";
import type { Random } from "./random.ts";

export type Mark = "none" | "dot" | "stripe";
export type Split = "train" | "val" | "test";

/** `box_xyxy` is the tight box in whole pixels, inside the image. */
export interface SceneObject {
  kind: Kind;
  color: Color;
  mark: Mark;
  box_xyxy: [number, number, number, number];
  /** Large enough to be a target; the small ones are landmarks. */
  referable: boolean;
}

export interface Scene {
  width: number;
  height: number;
  /** In drawing order: later ones may cover earlier ones. */
  objects: SceneObject[];
  background: {
    top: string;
    bottom: string;
    texture: "plain" | "lines" | "dots" | "blobs";
    ink: string;
    seed: number;
  };
}

/** The stratum that the scene must support: its sentences need objects to distinguish. */
export type Recipe = "attribute" | "position" | "relation" | "size_or_part" | "two_hop" | "negation" | "any";

/**
 * Samples a scene of 3-7 objects: large candidates of the same kind, and small landmarks.
 *
 * @returns undefined if an object did not fit.
 */
export function sampleScene(random: Random, split: Split, recipe: Recipe): Scene | undefined {
  const [width, height] = random.pick(sizes);
  const objects: SceneObject[] = [];
  for (const look of sampleLooks(random, split, recipe)) {
    const box = samplePlace(random, look, width, height, objects);
    if (box === undefined) return undefined;
    const { area: _, ...rest } = look;
    objects.push({ ...rest, box_xyxy: box });
  }
  const [top, bottom] = random.pick(tints);
  const texture = random.pick(["plain", "plain", "lines", "dots", "blobs"] as const);
  return {
    width,
    height,
    objects,
    background: { top, bottom, texture, ink: random.pick(inks), seed: random.integer(0, 1e6) },
  };
}

/** An object before it has a place. `area` is relative to the image. */
type Look = Omit<SceneObject, "box_xyxy"> & { area: number };

function sampleLooks(random: Random, split: Split, recipe: Recipe): Look[] {
  const shuffledKinds = random.shuffled(kinds);
  const sampleColor = (kind: Kind): Color =>
    random.pick(colorNames.filter((name) => split === "test" || !isHeldOut(name, kind)));
  const kindAt = (index: number): Kind => shuffledKinds[index] ?? random.pick(kinds);
  const candidateKind = kindAt(0);
  const candidateColor = sampleColor(candidateKind);
  const sameColor =
    recipe === "relation" || recipe === "two_hop" || recipe === "position" ? random.chance(0.75) : false;
  const numCandidates =
    recipe === "any" ? random.integer(1, 3) : random.chance(recipe === "two_hop" ? 0.15 : 0.35) ? 3 : 2;
  const scale = numCandidates === 3 ? 0.62 : 1;
  const baseArea = sampleArea(random);
  const candidates = Array.from({ length: numCandidates }, (_, index): Look => {
    const spread = recipe === "size_or_part" ? ([1, 0.45, 0.22][index] ?? 1) : random.between(0.7, 1.3);
    return {
      kind: candidateKind,
      color: sameColor ? candidateColor : sampleColor(candidateKind),
      mark: sampleMark(random, recipe === "size_or_part" || recipe === "negation" ? 0.6 : 0.15),
      referable: true,
      area: Math.min(0.5, Math.max(0.03, baseArea * scale * spread)),
    };
  });
  const landmarks: Look[] = [];
  const addLandmark = (kind: Kind, color: Color): void => {
    landmarks.push({
      kind,
      color,
      mark: sampleMark(random, 0.1),
      referable: false,
      area: random.between(0.014, 0.04),
    });
  };
  const firstLandmark = kindAt(1);
  const firstColor = sampleColor(firstLandmark);
  addLandmark(firstLandmark, firstColor);
  if (recipe === "two_hop") {
    addLandmark(firstLandmark, random.chance(0.8) ? firstColor : sampleColor(firstLandmark));
    addLandmark(kindAt(2), sampleColor(kindAt(2)));
  }
  const numOthers = random.integer(
    0,
    Math.max(0, 7 - candidates.length - landmarks.length - (recipe === "two_hop" ? 1 : 2)),
  );
  for (let index = 0; index < numOthers; index += 1) {
    const kind = random.chance(0.3) ? firstLandmark : kindAt(3 + index);
    if (recipe === "two_hop" && kind === firstLandmark) continue;
    addLandmark(kind, sampleColor(kind));
  }
  if (candidates.length + landmarks.length < 3) addLandmark(kindAt(9), sampleColor(kindAt(9)));
  return [...random.shuffled(candidates), ...random.shuffled(landmarks)];
}

/**
 * Relative area of a target, by RefCOCOg's percentiles (5/25/50/75/95: 4.7/7.5/13/24/50 %), capped so that
 * two fit.
 */
function sampleArea(random: Random): number {
  const quantile = random.between(0, 1);
  const areas = [0.04, 0.047, 0.075, 0.13, 0.24, 0.34];
  const quantiles = [0, 0.05, 0.25, 0.5, 0.75, 1];
  const index = Math.max(0, quantiles.findIndex((end) => quantile < end) - 1);
  const [x0 = 0, x1 = 1] = [quantiles[index], quantiles[index + 1]];
  const [y0 = 0, y1 = 1] = [areas[index], areas[index + 1]];
  return y0 + ((quantile - x0) / (x1 - x0)) * (y1 - y0);
}

function sampleMark(random: Random, probability: number): Mark {
  return random.chance(probability) ? random.pick(["dot", "stripe"] as const) : "none";
}

/** A place where the object covers little of the others; shrinks the object if there is none. */
function samplePlace(
  random: Random,
  look: Look,
  width: number,
  height: number,
  placed: SceneObject[],
): SceneObject["box_xyxy"] | undefined {
  const [x1, y1, x2, y2] = look.kind.box;
  const aspect = ((x2 - x1) / (y2 - y1)) * random.between(0.9, 1.1);
  let area = look.area * width * height;
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const w = Math.round(Math.min(Math.sqrt(area * aspect), width * 0.96));
    const h = Math.round(Math.min(Math.sqrt(area / aspect), height * 0.96));
    const left = random.integer(0, width - w);
    const top = random.integer(0, height - h);
    const box: SceneObject["box_xyxy"] = [left, top, left + w, top + h];
    if (
      placed.every(
        (other) => coverage(box, other.box_xyxy) <= (look.referable && other.referable ? 0.2 : 0.12),
      )
    )
      return box;
    if (attempt % 15 === 14) area *= 0.88;
  }
  return undefined;
}

/** Intersection over the smaller area: how much of the smaller object is covered. */
function coverage(a: SceneObject["box_xyxy"], b: SceneObject["box_xyxy"]): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const smaller_area = Math.min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]));
  return w <= 0 || h <= 0 ? 0 : (w * h) / smaller_area;
}

const sizes: readonly (readonly [number, number])[] = [
  [320, 240],
  [320, 240],
  [240, 320],
  [288, 288],
  [352, 240],
  [320, 272],
];
const tints: readonly (readonly [string, string])[] = [
  ["#dfe9f2", "#c3d3e0"],
  ["#e9e4d8", "#d3c8b4"],
  ["#d9ead8", "#b9d0b8"],
  ["#eadfe8", "#cdbccb"],
  ["#b9c2c9", "#98a3ab"],
  ["#e2e2e2", "#bdbdbd"],
  ["#cfe3e3", "#a9c7c7"],
  ["#f0d9cf", "#d9b9aa"],
];
const inks = ["#8a97a3", "#a89f8d", "#8fa58e", "#a593a3", "#7f8a92"];
