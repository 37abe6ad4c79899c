import { counted } from "../base/format.ts";
import type { PreflightFinding } from "../contract/generated/types.ts";
import { writeContactSheet } from "../dataset/card/contact-sheet.ts";
import { readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { failed, passed } from "./check.ts";

const numExpressions = 32;

/** Draws expressions and their boxes in one image, for a person to look at. */
export async function checkBoxes(root: string, file: string, engine: Engine): Promise<PreflightFinding> {
  const { images_dir, name, split_by } = readFacts(root);
  if (images_dir === null)
    return failed(
      `${root}: expected a dataset with images, found none`,
      "prepare it again with its images (--images DIR)",
    );
  const { examples } = await engine.call("sample_expressions", { root, num_expressions: numExpressions });
  const unreadable = await writeContactSheet(examples, images_dir, `${name}, split by ${split_by}`, file);
  if (unreadable.length > 0)
    return failed(
      `${images_dir}: ${counted(unreadable.length, "image")} of ${examples.length} cannot be read: ${unreadable.slice(0, 3).join(", ")}`,
      "run `cliprpn dataset check`, and get these images again",
    );
  return passed(
    `${counted(examples.length, "expression")} of train and val with boxes, in one image: look whether every box shows what its expression says`,
  );
}
