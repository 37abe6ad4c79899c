import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { type DemoOptions, demoId, demoSizes } from "../dataset/demo/make-demo.ts";
import { packageRoot } from "../package-root.ts";

/** What a trial's data are: by content, and where they lie. */
export interface DatasetIdentity {
  id: string;
  name: string;
  root: string;
  split_by: "umd" | "google";
  /** Set when it is the demo, which may not be drawn yet. */
  demo?: DemoOptions;
}

export interface BackboneIdentity {
  name: "cliprpn-tiny" | "RN50-quickgelu";
  weights: string;
  weights_id: string;
}

/** @throws CliprpnError data_invalid when annotations are missing. */
export async function identifyDataset({ dataset }: Experiment, cache: string): Promise<DatasetIdentity> {
  const split_by = dataset?.split_by ?? "umd";
  if (dataset?.root === undefined) {
    const demo = demoSizes[dataset?.size ?? "full"];
    const id = demoId(demo);
    return { id, name: "demo", root: join(cache, "demo", id), split_by, demo };
  }
  const files = ["instances.json", `refs(${split_by}).p`].map((name) =>
    join(dataset.root ?? "", "annotations", name),
  );
  const hash = createHash("sha256");
  for (const file of files) {
    if (!existsSync(file))
      throw new CliprpnError(
        "data_invalid",
        `${file}: expected RefCOCOg's own layout, found no such file; \`split_by\` is ${split_by}`,
      );
    hash.update(await hashFile(file));
  }
  return {
    id: hash.update(split_by).digest("hex").slice(0, 16),
    // Another folder than the demo's own (`--set dataset.root=DIR`) is named after itself.
    name: dataset.name === undefined || dataset.name === "demo" ? basename(dataset.root) : dataset.name,
    root: dataset.root,
    split_by,
  };
}

export async function identifyBackbone({ backbone }: Experiment): Promise<BackboneIdentity> {
  const name = backbone?.name ?? "cliprpn-tiny";
  const weights = backbone?.weights ?? (name === "cliprpn-tiny" ? "shipped" : "openai");
  if (weights === "openai") return { name, weights, weights_id: "openai" };
  const file =
    weights === "shipped" ? join(packageRoot, `python/cliprpn/models/weights/${name}.safetensors`) : weights;
  return { name, weights, weights_id: await hashFile(file) };
}

/** Hash of the Python sources that run trials and of the lock: an outcome made by others is stale. */
export function hashSources(): string {
  const root = join(packageRoot, "python/cliprpn");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".py") && !file.startsWith("tiny/"),
  );
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(root, file)));
  return hash.update(readFileSync(join(packageRoot, "env/runtime.txt"))).digest("hex");
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
