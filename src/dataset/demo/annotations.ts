import type { DemoImage } from "./demo-images.ts";
import { kinds } from "./kinds.ts";
import type { Picklable } from "./pickle.ts";
import type { SceneObject } from "./scene.ts";

/**
 * The two annotation files in RefCOCOg's layout: the content of `instances.json`, and the refs of
 * `refs(umd).p`.
 */
export function annotationsOf(demo_images: DemoImage[]): { instances: object; refs: Picklable[] } {
  const annotations: {
    id: number;
    image_id: number;
    category_id: number;
    bbox: number[];
    area: number;
    iscrowd: 0;
  }[] = [];
  const refs: Picklable[] = [];
  let sent_id = 0;
  let pair_id = 0;
  for (const { image_id, split, scene, sentences } of demo_images) {
    const ids = new Map<SceneObject, number>();
    for (const object of scene.objects) {
      const id = annotations.length + 1;
      const [x1, y1, x2, y2] = object.box_xyxy;
      const bbox = [x1, y1, x2 - x1, y2 - y1];
      ids.set(object, id);
      annotations.push({
        id,
        image_id,
        category_id: object.kind.category_id,
        bbox,
        area: (x2 - x1) * (y2 - y1),
        iscrowd: 0,
      });
    }
    const rows = sentences.map((sentence) => {
      const twin = sentences.find((other) => other !== sentence && other.stratum === sentence.stratum);
      return { sentence, sent_id: sent_id++, paired: twin !== undefined };
    });
    const pairs = new Map<string, number>();
    for (const { sentence, paired } of rows) {
      if (paired && !pairs.has(sentence.stratum)) pairs.set(sentence.stratum, pair_id++);
    }
    const rowsByTarget = new Map<SceneObject, typeof rows>();
    for (const row of rows)
      rowsByTarget.set(row.sentence.target, [...(rowsByTarget.get(row.sentence.target) ?? []), row]);
    for (const [target, target_rows] of rowsByTarget) {
      const ann_id = ids.get(target) ?? 0;
      refs.push({
        ref_id: refs.length + 1,
        ann_id,
        category_id: target.kind.category_id,
        image_id,
        file_name: `${imageName(image_id).replace(/\.png$/, "")}_${ann_id}.png`,
        split,
        sent_ids: target_rows.map((row) => row.sent_id),
        sentences: target_rows.map(({ sentence, sent_id: id }) => ({
          sent_id: id,
          tokens: sentence.text.split(" "),
          raw: sentence.text,
          sent: sentence.text.toLowerCase(),
          stratum: sentence.stratum,
          ...(pairs.has(sentence.stratum) ? { pair_id: pairs.get(sentence.stratum) ?? 0 } : {}),
        })),
      });
    }
  }
  const images = demo_images.map(({ image_id, scene: { width, height } }) => ({
    id: image_id,
    file_name: imageName(image_id),
    width,
    height,
  }));
  const categories = kinds.map(({ name, category_id }) => ({
    id: category_id,
    name,
    supercategory: "drawing",
  }));
  return {
    instances: { info: { description: "The demo data set of cliprpn" }, images, annotations, categories },
    refs,
  };
}

export function imageName(image_id: number): string {
  return `demo_${String(image_id).padStart(6, "0")}.png`;
}
