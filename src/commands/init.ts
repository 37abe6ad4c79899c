import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Arguments, Context } from "./command.ts";
import { schemaFile } from "./schema.ts";

/** `cliprpn init [FILE]`: writes a commented experiment file that runs without changes. */
export async function init(args: Arguments, { cwd, terminal }: Context): Promise<number> {
  const file = resolve(cwd, args.needed("file"));
  if (existsSync(file))
    throw new CliprpnError("bad_input", `${file}: expected a new file, but it exists; give another name`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, template(relativeFrom(dirname(file), schemaFile)));
  terminal.info(`Wrote ${file}. Next: cliprpn sweep ${relative(cwd, file)} --dry-run`);
  terminal.result(relative(cwd, file));
  return EXIT.good;
}

/** With a leading dot; editors read a path without one as a package name. */
function relativeFrom(folder: string, file: string): string {
  const path = relative(folder, file).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

export function template(schema: string): string {
  return `{
  // Enables completion and descriptions in your editor.
  "$schema": ${JSON.stringify(schema)},
  // The sweep's folder is runs/sweeps/my-experiment.
  "name": "my-experiment",
  "question": "Do word-level text features ground better than one sentence vector?",
  // "default" is ClipRPN (Trento) with its bugs fixed; "reference" has the original settings.
  "preset": "default",
  // The demo is generated on first use; any other name is a dataset prepared by \`cliprpn prepare\`:
  // "dataset": { "name": "refcocog-umd" },
  "dataset": { "name": "demo" },
  // Settings of every trial; \`cliprpn schema --print\` lists all keys.
  "settings": {
    "training": { "num_epochs": 4 }
  },
  // Every combination of these values is one configuration...
  "vary": {
    "fusion.text": ["pooled", "words"]
  },
  // ...and these configurations are added; they may have a label, and seeds of their own.
  "also": [{ "label": "original fusion", "fusion": "cross_attention" }],
  // Every configuration runs once per seed.
  "seeds": [0, 1],
  // If smaller differences in Acc@0.5 do not matter, the report says which configurations are equivalent (percentage points):
  // "smallest_difference": 1.0,
  // The report compares the others with this configuration, and always with the best one.
  "baseline": "original fusion"
}
`;
}
