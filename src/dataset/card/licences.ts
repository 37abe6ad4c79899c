import type { Portrait } from "./portrait.ts";

/** Who may do what with the data set's parts, a line each. */
export function licences({ kind, stats }: Portrait): string[] {
  if (kind === "demo")
    return [
      "Images and sentences are made by cliprpn (MIT); the icons in the images are Material Design Icons by Pictogrammers (Apache-2.0).",
    ];
  if (kind === "own")
    return [
      ...(stats.num_coco_train2014 > 0 ? coco : []),
      "Sentences and boxes: fill in who made them, and their licence.",
      stats.num_coco_train2014 > 0
        ? "Other images: fill in where they come from, and their licence."
        : "Images: fill in where they come from, and their licence.",
    ];
  return [
    ...coco,
    ...(kind === "refcocog" ? ["Sentences of RefCOCOg: Google RefExp, CC BY 4.0."] : []),
    kind === "refcocog"
      ? "Splits in this layout come with the REFER toolbox, whose repository is Apache-2.0."
      : "Sentences and splits come with the REFER toolbox, whose repository is Apache-2.0.",
  ];
}

const coco = [
  "Boxes and categories: COCO's annotations, CC BY 4.0.",
  "Images: COCO's train2014, from Flickr; each keeps its own licence, which instances_train2014.json of COCO names, and Flickr's terms of use hold.",
];
