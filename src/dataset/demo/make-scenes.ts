import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSharp } from "../../base/sharp.ts";
import { plainScenes } from "./demo-images.ts";
import type { Scene, SceneObject } from "./scene.ts";
import { sceneSvg } from "./svg.ts";

/**
 * Draws scenes for training cliprpn-tiny: the images, and their objects in `scenes.jsonl`, without referring
 * expressions. A seed other than the demo's keeps the two sets disjoint.
 */
export async function makeScenes(
  root: string,
  seed: number,
  count: number,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const sharp = await loadSharp();
  await mkdir(join(root, "images"), { recursive: true });
  const lines: string[] = [];
  let batch: Promise<unknown>[] = [];
  for (const scene of plainScenes(seed, count)) {
    const file = `scene_${String(lines.length).padStart(6, "0")}.jpg`;
    lines.push(JSON.stringify({ file, ...descriptionOf(scene) }));
    batch.push(
      sharp(Buffer.from(sceneSvg(scene)))
        .jpeg({ quality: 92 })
        .toFile(join(root, "images", file)),
    );
    if (batch.length === 8) {
      await Promise.all(batch);
      batch = [];
      onProgress(lines.length, count);
    }
  }
  await Promise.all(batch);
  await writeFile(join(root, "scenes.jsonl"), `${lines.join("\n")}\n`);
}

function descriptionOf(scene: Scene): object {
  const objects = scene.objects.map(({ kind, color, mark, box_xyxy, referable }: SceneObject) => ({
    kind: kind.name,
    color,
    mark,
    box_xyxy,
    referable,
  }));
  return { width: scene.width, height: scene.height, objects };
}
