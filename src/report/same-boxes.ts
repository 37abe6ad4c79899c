import type { BaselineSpec } from "../contract/generated/types.ts";

/** Baselines that rank the very same boxes. */
export interface SameBoxes<T> {
  /** What their labels share, without the ranking: "YOLO yolov8n" for "YOLO yolov8n, crop" and "YOLO yolov8n, blur". */
  name: string;
  members: [T, ...T[]];
}

/** Baselines by their boxes, in the order of the first of each. */
export function sameBoxes<T extends { spec: BaselineSpec }>(baselines: T[]): SameBoxes<T>[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const one of baselines) {
    const { detector, score_thresh, nms_thresh, max_boxes } = one.spec.baseline;
    const boxes = JSON.stringify([detector, score_thresh, nms_thresh, max_boxes]);
    const group = groups.get(boxes);
    if (group === undefined) groups.set(boxes, [one]);
    else group.push(one);
  }
  const named = [...groups.values()].map((members) => ({ name: shared(members), members }));
  const names = named.map(({ name }) => name);
  return named.map(({ name, members }) =>
    name === "" || names.filter((other) => other === name).length > 1
      ? { name: members.map(({ spec }) => spec.label).join("; "), members }
      : { name, members },
  );
}

function shared(members: { spec: BaselineSpec }[]): string {
  const [first = [], ...others] = members.map(({ spec }) =>
    spec.label.split(", ").filter((part) => part !== spec.baseline.ranking),
  );
  return first.filter((part) => others.every((parts) => parts.includes(part))).join(", ");
}
