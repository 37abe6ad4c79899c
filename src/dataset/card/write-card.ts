import { rename } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { render } from "../../report/markdown.ts";
import { cardBlocks } from "./card.ts";
import { writeContactSheet } from "./contact-sheet.ts";
import type { Portrait } from "./portrait.ts";

/** Writes `card.md` and, where there are images, `contact-sheet.png` into the data set's folder. @returns the files. */
export async function writeCard(portrait: Portrait): Promise<string[]> {
  const { folder, stats } = portrait;
  const { images_dir, name, split_by } = stats.facts;
  const card = join(folder, "card.md");
  const sheet = images_dir === null ? undefined : join(folder, sheetName);
  if (sheet !== undefined && images_dir !== null) {
    const beside = join(folder, `.${sheetName}`);
    await writeContactSheet(stats.examples, images_dir, `${name}, split by ${split_by}`, beside);
    await rename(beside, sheet);
  }
  writeFileAtomic.sync(card, render(cardBlocks(portrait, sheet === undefined ? undefined : sheetName)));
  return sheet === undefined ? [card] : [card, sheet];
}

const sheetName = "contact-sheet.png";
