/** A kind of object in the demo, drawn from a Material Design icon or a path in a 24 x 24 square. */
export interface Kind {
  name: string;
  category_id: number;
  shape: { icon: string } | { path: string };
  /** Tight box of the shape, xyxy, in the 24 x 24 square; a test compares it with the drawing. */
  box: readonly [number, number, number, number];
}

export const kinds: readonly Kind[] = [
  {
    name: "circle",
    category_id: 1,
    shape: { path: "M12,2A10,10 0 1,1 12,22A10,10 0 1,1 12,2Z" },
    box: [2, 2, 22, 22],
  },
  { name: "square", category_id: 2, shape: { path: "M2,2H22V22H2Z" }, box: [2, 2, 22, 22] },
  { name: "triangle", category_id: 3, shape: { path: "M12,2L22,21H2Z" }, box: [2, 2, 22, 21] },
  { name: "star", category_id: 4, shape: { icon: "star" }, box: [2, 2, 22, 21] },
  { name: "heart", category_id: 5, shape: { icon: "heart" }, box: [2, 3, 22, 21.35] },
  { name: "key", category_id: 6, shape: { icon: "key" }, box: [1, 6, 23, 18] },
  { name: "umbrella", category_id: 7, shape: { icon: "umbrella" }, box: [3, 2, 21, 22] },
  { name: "car", category_id: 8, shape: { icon: "car-side" }, box: [1, 6, 23, 18] },
  { name: "cat", category_id: 9, shape: { icon: "cat" }, box: [2.08, 4.5, 21.93, 20] },
  { name: "fish", category_id: 10, shape: { icon: "fish" }, box: [2.15, 5, 22, 20] },
  { name: "tree", category_id: 11, shape: { icon: "pine-tree" }, box: [3, 3, 21, 21] },
  { name: "house", category_id: 12, shape: { icon: "home" }, box: [2, 3, 22, 20] },
  { name: "cup", category_id: 13, shape: { icon: "cup" }, box: [3, 2, 21, 22] },
  { name: "duck", category_id: 14, shape: { icon: "duck" }, box: [2, 2, 22, 21] },
  { name: "airplane", category_id: 15, shape: { icon: "airplane" }, box: [3.95, 3.48, 21, 20.53] },
  { name: "crown", category_id: 16, shape: { icon: "crown" }, box: [3, 4.03, 21, 20] },
  { name: "mushroom", category_id: 17, shape: { icon: "mushroom" }, box: [2, 2, 22, 22] },
  { name: "anchor", category_id: 18, shape: { icon: "anchor" }, box: [3, 2, 21, 22] },
  { name: "apple", category_id: 19, shape: { icon: "food-apple" }, box: [3.53, 2.5, 20.48, 22] },
  { name: "cloud", category_id: 20, shape: { icon: "cloud" }, box: [1, 4, 23, 20] },
  { name: "bell", category_id: 21, shape: { icon: "bell" }, box: [3, 2, 21, 23] },
  { name: "rocket", category_id: 22, shape: { icon: "rocket" }, box: [4, 2, 20, 22] },
  { name: "butterfly", category_id: 23, shape: { icon: "butterfly" }, box: [2, 3, 22, 21] },
];

export const colors = {
  red: "#d62728",
  green: "#2ca02c",
  blue: "#1f4fd8",
  yellow: "#f5d000",
  purple: "#8e3fc4",
  orange: "#ff7f0e",
  black: "#1b1b1b",
  white: "#fcfcfc",
} as const;

export type Color = keyof typeof colors;
export const colorNames: readonly Color[] = [
  "red",
  "green",
  "blue",
  "yellow",
  "purple",
  "orange",
  "black",
  "white",
];

/** One in fifteen color-kind pairs appears in test only, which measures compositional generalization. */
export function isHeldOut(color: Color, kind: Kind): boolean {
  return (colorNames.indexOf(color) * 7 + kind.category_id * 4) % 15 === 0;
}
