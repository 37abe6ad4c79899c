import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { DatasetChoice, TrialDataset } from "../contract/generated/types.ts";
import { hashFile } from "../hash-file.ts";
import { type DemoOptions, demoId, demoSizes } from "./demo/make-demo.ts";

/** What a trial's data are: by content, and where they lie. */
export interface DatasetIdentity extends TrialDataset {
  /** Set when it is the demo, which may not be drawn yet. */
  demo?: DemoOptions;
}

/** @throws CliprpnError data_invalid when annotations are missing. */
export async function identifyDataset(
  { name, root, size, split_by = "umd" }: DatasetChoice,
  cache: string,
): Promise<DatasetIdentity> {
  if (root === undefined) {
    const demo = demoSizes[size ?? "full"];
    const id = demoId(demo);
    return { id, name: "demo", root: join(cache, "demo", id), split_by, demo };
  }
  const files = ["instances.json", `refs(${split_by}).p`].map((file) => join(root, "annotations", file));
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
    name: name === undefined || name === "demo" ? basename(root) : name,
    root,
    split_by,
  };
}
