import type { ImageOriginCount } from "../../contract/generated/types.ts";

export type ImageOrigin = ImageOriginCount["origin"];

/** How many images of a collection a training set has; what is not listed is not known. */
export type Share = "all" | "some" | "none";

/** A dataset that weights are trained on, and the images that it shares with published collections. */
export interface TrainingSet {
  name: string;
  shares: Partial<Record<ImageOrigin, Share>>;
  /** Where the shares come from, in one sentence. */
  about: string;
}

/**
 * The training sets that a declared name stands for, in any case and punctuation; undefined for an unknown name. The name of a
 * published model stands for what its authors say that they trained it on.
 */
export function findTrainingSets(declared: string): TrainingSet[] | undefined {
  const key = keyOf(declared);
  const model = models[key];
  if (model !== undefined) return model.flatMap((name) => byKey.get(keyOf(name)) ?? []);
  const set = byKey.get(key);
  return set === undefined ? undefined : [set];
}

const cocoTrain2017: TrainingSet["shares"] = {
  coco_train2014: "all",
  coco_train2017: "all",
  coco_val2014: "some",
  coco_val2017: "none",
  coco: "some",
};

const someCoco: TrainingSet["shares"] = {
  coco_train2014: "some",
  coco_train2017: "some",
  coco_val2014: "some",
  coco_val2017: "some",
  coco: "some",
};

const refcoco: Omit<TrainingSet, "name"> = {
  shares: {
    coco_train2014: "some",
    coco_train2017: "some",
    coco_val2014: "none",
    coco_val2017: "none",
    coco: "some",
  },
  about:
    "RefCOCO, RefCOCO+ and RefCOCOg have images of COCO train2014 only, and the train split of one has images of val and test of another",
};

const unpublished = "which images it shares with others is not published";

/** The first name is the one that is shown. */
const sets: [names: string[], set: Omit<TrainingSet, "name">][] = [
  [
    ["COCO train2017", "COCO", "MS COCO", "COCO 2017", "COCO 2017 train", "COCO trainval35k"],
    {
      shares: cocoTrain2017,
      about:
        "COCO train2017 has all 82,783 images of train2014, thus all of RefCOCO, RefCOCO+ and RefCOCOg, and 35,504 of the 40,504 of val2014",
    },
  ],
  [
    ["COCO train2014", "COCO 2014", "COCO 2014 train"],
    {
      shares: {
        coco_train2014: "all",
        coco_train2017: "some",
        coco_val2014: "none",
        coco_val2017: "none",
        coco: "some",
      },
      about: "COCO train2014 has all images of RefCOCO, RefCOCO+ and RefCOCOg, also those of val and test",
    },
  ],
  [
    ["COCO trainval2014", "COCO trainval", "COCO trainval2017"],
    {
      shares: {
        ...someCoco,
        coco_train2014: "all",
        coco_train2017: "all",
        coco_val2014: "all",
        coco_val2017: "all",
      },
      about: "COCO trainval2014 has all images of train2014 and val2014, and so of train2017 and val2017",
    },
  ],
  [
    ["LVIS", "LVIS v1"],
    {
      shares: { ...cocoTrain2017, coco_train2014: "some", coco_train2017: "some" },
      about: "LVIS v1 train has 100,170 of the 118,287 images of COCO train2017",
    },
  ],
  [["RefCOCO", "RefC", "RefCOCO/+/g", "RefCOCO*"], refcoco],
  [["RefCOCO+"], refcoco],
  [["RefCOCOg"], refcoco],
  [
    ["Visual Genome", "VG"],
    {
      shares: { ...someCoco, visual_genome: "all" },
      about:
        "about 51,000 of Visual Genome's 108,077 images are also in COCO train2014 or val2014, under other names",
    },
  ],
  [
    ["GQA"],
    {
      shares: { ...someCoco, visual_genome: "some" },
      about: "GQA has images of Visual Genome, about half of which are also in COCO",
    },
  ],
  [
    ["GoldG"],
    {
      shares: { ...someCoco, visual_genome: "some", flickr30k: "some" },
      about:
        "GoldG has images of Flickr30k and, by way of GQA, of Visual Genome, about half of which are also in COCO under other names",
    },
  ],
  [
    ["Flickr30k", "Flickr30k Entities"],
    { shares: { flickr30k: "some" }, about: "Flickr30k's train split has 29,783 of its 31,783 images" },
  ],
  [
    ["Objects365", "O365", "Objects365 v1", "Objects365 v2"],
    { shares: { objects365: "some" }, about: `Objects365: ${unpublished}` },
  ],
  [
    ["Open Images", "OI", "Open Images v4", "Open Images v6"],
    { shares: { open_images: "some" }, about: `Open Images: ${unpublished}` },
  ],
  [["Cap4M"], { shares: {}, about: `Cap4M are images of the web: ${unpublished}` }],
  [["ODinW-35", "ODinW"], { shares: {}, about: `ODinW-35: ${unpublished}` }],
  [["ImageNet", "ImageNet-1k", "ImageNet-21k"], { shares: {}, about: `ImageNet: ${unpublished}` }],
  [
    ["LAION", "LAION-400M", "LAION-2B", "LAION-5B", "CC3M", "CC12M", "WebLI", "WIT"],
    { shares: {}, about: `images of the web: ${unpublished}` },
  ],
  [
    ["none", "scratch", "nothing", "generated scenes"],
    {
      shares: {
        coco_train2014: "none",
        coco_val2014: "none",
        coco_train2017: "none",
        coco_val2017: "none",
        coco: "none",
        visual_genome: "none",
        flickr30k: "none",
        objects365: "none",
        open_images: "none",
        other: "none",
      },
      about: "declared to be trained on no images",
    },
  ],
];

/** Training sets of published models, as their authors list them. */
const models: Record<string, string[]> = Object.fromEntries(
  (
    [
      [
        ["Grounding DINO T", "groundingdino_swint_ogc", "grounding-dino-tiny"],
        ["O365", "GoldG", "Cap4M"],
      ],
      [
        ["Grounding DINO B", "groundingdino_swinb_cogcoor", "grounding-dino-base"],
        ["COCO", "O365", "GoldG", "Cap4M", "OI", "ODinW-35", "RefCOCO"],
      ],
      [["GLIP-T"], ["O365", "GoldG", "Cap4M"]],
    ] as [string[], string[]][]
  ).flatMap(([names, trained_on]) => names.map((name) => [keyOf(name), trained_on])),
);

const byKey = new Map(
  sets.flatMap(([names, set]) =>
    names.map((name): [string, TrainingSet] => [keyOf(name), { ...set, name: names[0] ?? name }]),
  ),
);

function keyOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9+*]/g, "");
}
