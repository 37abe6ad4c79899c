/** Extraction of features, and plain loops that read, compute and write one after the other. */
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";

interface Side {
  num_images: number;
  images_per_s: number;
  loop_images_per_s: number;
  /** Of the loop's time to the pipeline's, pair by pair: their median. */
  ratio: number;
  loop_shares: { read: number; compute: number; write: number };
}

interface ExtractionFigures {
  rows: Record<keyof typeof what, Side>;
}

const what = {
  maps: "feature maps from prepared images",
  views: "feature maps of augmented views",
  crops: "embeddings of 3 crops per image, from JPEG files",
  maps_on_device: "feature maps from prepared images, with a network that waits as for a device",
  views_on_device: "feature maps of augmented views, with the same network",
};

export async function extractionRows(python: string): Promise<Row[]> {
  const { rows } = await runPython<ExtractionFigures>(python, "extraction", []);
  return Object.entries(rows).map(([name, side]) => ({
    what: `images per second: ${what[name as keyof typeof what]}, ${side.num_images} images; baseline: a plain loop, which reads, computes and writes one after the other`,
    ours: `${side.images_per_s.toFixed(0)}/s`,
    baseline: `${side.loop_images_per_s.toFixed(0)}/s (${shares(side)})`,
    result: `${side.ratio.toFixed(2)} times`,
    target: ">= 0.95",
    met: side.ratio >= 0.95,
  }));
}

function shares({ loop_shares }: Side): string {
  return Object.entries(loop_shares)
    .map(([stage, share]) => `${stage} ${Math.round(100 * share)} %`)
    .join(", ");
}
