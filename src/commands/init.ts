import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Arguments, Context } from "./command.ts";
import { schemaFile } from "./schema.ts";

/** `cliprpn init [FILE]`: a commented experiment file that runs as it is. */
export async function init(args: Arguments, { cwd, terminal }: Context): Promise<number> {
  const file = resolve(cwd, args.needed("file"));
  if (existsSync(file))
    throw new CliprpnError("bad_input", `${file}: there is such a file already; give another name`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, template(relativeFrom(dirname(file), schemaFile)));
  terminal.info(`Wrote ${file}. Next: cliprpn sweep ${relative(cwd, file)} --dry-run`);
  terminal.result(relative(cwd, file));
  return EXIT.good;
}

/** With a leading dot, without which editors take it for a name. */
function relativeFrom(folder: string, file: string): string {
  const path = relative(folder, file).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

export function template(schema: string): string {
  return `{
  // Your editor completes keys and shows what they mean.
  "$schema": ${JSON.stringify(schema)},
  // Names the folder below runs/.
  "name": "my-experiment",
  "question": "Does text for every word ground better than one vector for the sentence?",
  // "default" repairs the original's faults; "reference" keeps its settings.
  "preset": "default",
  // The demo is drawn on first use; any other name is a data set that \`cliprpn prepare\` made:
  // "dataset": { "name": "refcocog-umd" },
  "dataset": { "name": "demo" },
  // What holds for every trial; \`cliprpn schema --print\` lists all keys.
  "settings": {
    "training": { "num_epochs": 4 }
  },
  // Every combination of these is a setting...
  "vary": {
    "fusion.text": ["pooled", "words"]
  },
  // ...and these come beside them.
  "also": [{ "fusion": "cross_attention" }],
  // Every setting runs once with each seed.
  "seeds": [0, 1]
}
`;
}
