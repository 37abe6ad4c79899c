import { readFile } from "node:fs/promises";
import { CliprpnError } from "../../contract/errors.ts";
import type { SourceFile } from "./source-file.ts";
import builtin from "./sources.json" with { type: "json" };
import { readSourcesShape } from "./sources-shape.ts";

/** @throws CliprpnError not_found, when no file of the sources is for this data set. */
export function filesFor(dataset: string, sources: SourceFile[]): SourceFile[] {
  const files = sources.filter(({ datasets }) => datasets.includes(dataset));
  if (files.length > 0) return files;
  const known = [...new Set(sources.flatMap(({ datasets }) => datasets))];
  throw new CliprpnError(
    "not_found",
    `no source is known for ${dataset}, only for ${known.join(", ")}; fetch its files by hand and give their folder as --root, or name their addresses in a file of your own (--sources FILE)`,
  );
}

/**
 * The sources that come with cliprpn, or those of a person's own file.
 *
 * @throws CliprpnError not_found, bad_input with all of the file's problems.
 */
export async function readSources(file?: string): Promise<SourceFile[]> {
  if (file === undefined) return readSourcesShape(builtin, "sources.json");
  const text = await readFile(file, "utf8").catch((error) => {
    throw new CliprpnError("not_found", `${file}: cannot be read (${error.code})`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliprpnError("bad_input", `${file}: expected JSON: ${String(error)}`, { cause: error });
  }
  return readSourcesShape(value, file);
}
