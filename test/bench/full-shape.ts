import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSharp } from "../../src/base/sharp.ts";
import { type Picklable, pickle } from "../../src/dataset/demo/pickle.ts";
import { Random } from "../../src/dataset/demo/random.ts";

/** The published counts of a split. */
export interface Shape {
  split: "train" | "val" | "test";
  num_images: number;
  num_refs: number;
  num_sentences: number;
}

export const refcocogShape: Shape[] = [
  { split: "train", num_images: 21_899, num_refs: 42_226, num_sentences: 80_512 },
  { split: "val", num_images: 1_300, num_refs: 2_573, num_sentences: 4_896 },
  { split: "test", num_images: 2_600, num_refs: 5_023, num_sentences: 9_602 },
];
const numObjects = 208_960;
const [width, height] = [96, 72];
const nouns = ["dog", "person", "car", "chair", "cup", "horse", "bus", "bird"];
/** COCO numbers its 80 categories from 1 to 90. */
const unusedCategories = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];
const categoryIds = Array.from({ length: 90 }, (_, index) => index + 1).filter(
  (id) => !unusedCategories.includes(id),
);
const places = [
  "on the left",
  "on the right",
  "in front",
  "behind the table",
  "near the window",
  "that is red",
];

/** Writes a dataset with RefCOCOg's counts and fields in its layout, with small images of smooth colors. */
export async function makeFullShape(root: string, shape: Shape[] = refcocogShape): Promise<void> {
  await mkdir(join(root, "annotations"), { recursive: true });
  await mkdir(join(root, "images"));
  const random = new Random(0, 99);
  const images: { id: number; file_name: string }[] = [];
  const annotations: object[] = [];
  const refs: Picklable[] = [];
  let sent_id = 0;
  for (const { split, num_images, num_refs, num_sentences } of shape) {
    const first = images.length;
    for (let row = 0; row < num_images; row += 1) {
      const id = 9 + 7 * images.length;
      const file_name = `COCO_train2014_${String(id).padStart(12, "0")}.jpg`;
      images.push({ id, file_name, ...imageFields(id) });
    }
    for (let row = 0; row < num_refs; row += 1) {
      const image_id = images[first + (row % num_images)]?.id ?? 0;
      const ann_id = annotate(image_id);
      const count =
        Math.floor(((row + 1) * num_sentences) / num_refs) - Math.floor((row * num_sentences) / num_refs);
      const sentences = Array.from({ length: count }, () => sentence());
      refs.push({
        ref_id: refs.length,
        ann_id,
        category_id: categoryOf(image_id, ann_id),
        image_id,
        file_name: `COCO_train2014_${image_id}_${ann_id}.jpg`,
        split,
        sent_ids: sentences.map((row) => row.sent_id),
        sentences,
      });
    }
  }
  while (annotations.length < Math.round((numObjects * images.length) / 25_799))
    annotate(images[annotations.length % images.length]?.id ?? 0);
  const categories = categoryIds.map((id) => ({
    supercategory: "thing",
    id,
    name: nouns[id - 1] ?? `thing ${id}`,
  }));
  const [info, licenses] = [{ description: "made", year: 2014 }, [{ id: 1, name: "made", url: "" }]];
  await writeFile(
    join(root, "annotations/instances.json"),
    JSON.stringify({ info, images, licenses, annotations, categories }),
  );
  await writeFile(join(root, "annotations/refs(umd).p"), pickle(refs));
  await draw(
    images.map(({ file_name }) => join(root, "images", file_name)),
    random,
  );

  function annotate(image_id: number): number {
    const id = annotations.length + 1;
    const [x, y] = [hundredths(0, width / 2), hundredths(0, height / 2)];
    const [w, h] = [hundredths(8, width / 2), hundredths(8, height / 2)];
    annotations.push({
      segmentation: [[x, y, x + w, y, x + w, y + h, x, y + h]],
      area: w * h,
      iscrowd: 0,
      image_id,
      bbox: [x, y, w, h],
      category_id: categoryOf(image_id, id),
      id,
    });
    return id;
  }

  function hundredths(low: number, high: number): number {
    return random.integer(100 * low, 100 * high) / 100;
  }

  function sentence(): { sent_id: number; tokens: string[]; raw: string; sent: string } {
    const text = `the ${random.pick(nouns)} ${random.pick(places)} of image ${sent_id}`;
    return { sent_id: sent_id++, tokens: text.split(" "), raw: text, sent: text };
  }
}

/** An image has objects of three categories, several of each. */
function categoryOf(image_id: number, ann_id: number): number {
  return categoryIds[(image_id + (ann_id % 3)) % categoryIds.length] ?? 1;
}

/** What COCO says about an image besides its number and name. */
function imageFields(id: number): object {
  return {
    license: 1,
    coco_url: `http://mscoco.org/images/${id}`,
    height,
    width,
    date_captured: "2013-11-21 23:06:41",
    flickr_url: `http://example.org/${id}.jpg`,
  };
}

/** Draws images that all differ. */
async function draw(files: string[], random: Random): Promise<void> {
  const sharp = await loadSharp();
  const raw = { width: 12, height: 9, channels: 3 } as const;
  const pixels = files.map(() =>
    Buffer.from(Array.from({ length: 12 * 9 * 3 }, () => random.integer(0, 255))),
  );
  const lane = async (): Promise<void> => {
    for (let file = files.pop(); file !== undefined; file = files.pop())
      await sharp(pixels[files.length], { raw }).resize(width, height).jpeg({ quality: 80 }).toFile(file);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}
