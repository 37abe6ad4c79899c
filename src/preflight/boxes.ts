import { join } from "node:path";
import { count, counted } from "../base/format.ts";
import { loadSharp } from "../base/sharp.ts";
import type { PreflightFinding, SentenceExample } from "../contract/generated/types.ts";
import { writeContactSheet } from "../dataset/card/contact-sheet.ts";
import { readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { failed, notChecked, passed } from "./check.ts";

const numExpressions = 32;
const maxShown = 3;

/** Checks that boxes lie inside their images, and draws expressions and their boxes in one image, for a person to look at. */
export async function checkBoxes(root: string, file: string, engine: Engine): Promise<PreflightFinding> {
  const { images_dir, name, split_by } = readFacts(root);
  const sample = await engine.call("sample_expressions", { root, num_expressions: numExpressions });
  const { examples, num_boxes, num_outside, outside } = sample;
  const unreadable =
    images_dir === null
      ? []
      : await writeContactSheet(examples, images_dir, `${name}, split by ${split_by}`, file);
  if (num_outside > 0)
    return failed(
      `${count(num_outside)} of ${count(num_boxes)} boxes are not inside their image, or have no area: ${listed(outside, num_outside)}`,
      "prepare the dataset again with the box format of its annotations (--box-format), or with --allow-invalid to leave these expressions out",
    );
  if (images_dir === null)
    return notChecked(
      `${count(num_boxes)} boxes lie inside their images; none is drawn, since ${root} was prepared without its images (\`cliprpn prepare --images DIR\`)`,
    );
  if (unreadable.length > 0)
    return failed(
      `${images_dir}: ${counted(unreadable.length, "image")} of ${examples.length} cannot be read: ${listed(unreadable, unreadable.length)}`,
      "run `cliprpn dataset check`, and get these images again",
    );
  const resized = (await Promise.all(examples.map((example) => otherSize(example, images_dir)))).flat();
  if (resized.length > 0)
    return failed(
      `${images_dir}: ${counted(resized.length, "image")} of ${examples.length} have another size than when their boxes were read: ${listed(resized, resized.length)}`,
      "prepare the dataset again with the images that its annotations were made for",
    );
  return passed(
    `${count(num_boxes)} boxes lie inside their images; ${counted(examples.length, "expression")} drawn in one image: look whether every box shows what its expression says`,
  );
}

/** The name and both sizes of an image that has another size than the dataset says. */
async function otherSize(example: SentenceExample, images_dir: string): Promise<string[]> {
  const { file_name, upright, width, height } = example;
  if (width === null || height === null) return [];
  const sharp = await loadSharp();
  const metadata = await sharp(join(images_dir, file_name)).metadata();
  const found = upright ? metadata.autoOrient : metadata;
  return found.width === width && found.height === height
    ? []
    : [`${file_name}: expected ${width} x ${height}, found ${found.width} x ${found.height}`];
}

function listed(items: readonly string[], num: number): string {
  const shown = items.slice(0, maxShown).join("; ");
  return num > maxShown ? `${shown} and ${num - maxShown} more` : shown;
}
