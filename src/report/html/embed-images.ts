import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Nodes, RootContent } from "mdast";
import { loadSharp } from "../../base/sharp.ts";

/**
 * The image files that the blocks refer to, as data URIs by their path. A chart is an image of its own rather than a part
 * of the page, so that ids and styles of two charts do not mix.
 *
 * @param folder what the paths are relative to.
 */
export async function embedImages(blocks: RootContent[], folder: string): Promise<Map<string, string>> {
  const files = [...new Set(blocks.flatMap(imageFiles))];
  return new Map(
    await Promise.all(files.map(async (file) => [file, await dataUri(join(folder, file))] as const)),
  );
}

function imageFiles(node: Nodes): string[] {
  if (node.type === "image") return [node.url];
  return "children" in node ? node.children.flatMap(imageFiles) : [];
}

async function dataUri(file: string): Promise<string> {
  if (file.endsWith(".svg")) return `data:image/svg+xml;base64,${(await readFile(file)).toString("base64")}`;
  // A fourth of the size of the PNG.
  const sharp = await loadSharp();
  const webp = await sharp(file).webp({ quality: 85 }).toBuffer();
  return `data:image/webp;base64,${webp.toString("base64")}`;
}
