import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { didYouMean } from "../../base/did-you-mean.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PublishedSource } from "../../contract/generated/types.ts";
import { isPrepared, readFacts } from "./prepared-folder.ts";
import { publishedSplits } from "./published-counts.ts";

/**
 * The published dataset of `--match`: a prepared one by name (`refcocog`, `refcocog-google`), a refs file such as
 * `refs(umd).p`, or `NAME=FILE` where the file does not tell which dataset it is of.
 *
 * @param data the folder of the prepared datasets.
 * @throws CliprpnError bad_input, not_found.
 */
export function publishedSource(text: string, { cwd, data }: { cwd: string; data: string }): PublishedSource {
  const [before = "", after] = text.split(/=(.*)/s);
  if (after !== undefined && names.includes(before))
    return { name: before, file: existing(resolve(cwd, after)) };
  const name = nameOf(text);
  if (name !== undefined) return { name, file: sentencesOf(name, data) };
  if (!existsSync(resolve(cwd, text)))
    throw new CliprpnError(
      "bad_input",
      `--match ${text}: expected ${names.join(", ")}, or a refs file.${didYouMean(text, names)}`,
    );
  return { name: nameOfRefs(resolve(cwd, text)), file: resolve(cwd, text) };
}

/** `refcocog-umd` and the like. */
const names = Object.entries(publishedSplits).flatMap(([name, authors]) =>
  authors.map((author) => `${name}-${author}`),
);

function nameOf(text: string): string | undefined {
  const author = publishedSplits[text]?.[0];
  return author === undefined ? names.find((name) => name === text) : `${text}-${author}`;
}

/** The refs file of a prepared dataset, or its expressions if that is gone. @throws CliprpnError not_found; data_invalid if some were skipped. */
function sentencesOf(name: string, data: string): string {
  const folder = join(data, name);
  const [dataset = "", author = ""] = name.split(/-(?=[a-z]+$)/);
  const command = `cliprpn prepare ${dataset} --split-by ${author} --root DIR --without-images`;
  if (!isPrepared(folder))
    throw new CliprpnError(
      "not_found",
      `${folder}: expected ${name}, to match the rows with it; found none. Prepare it with \`${command}\`, or pass its refs file: --match ${name}=FILE`,
    );
  const { dropped, source } = readFacts(folder);
  if (source.layout === "refcoco" && existsSync(source.refs_file)) return source.refs_file;
  if (dropped.num_sentences > 0)
    throw new CliprpnError(
      "data_invalid",
      `${folder}: expected all expressions of ${name}, to match the rows with them; ${dropped.num_sentences} were skipped. Pass its refs file: --match ${name}=FILE`,
    );
  return join(folder, "sentences.parquet");
}

/** Which dataset a refs file is of, by its name and its folder's. @throws CliprpnError bad_input. */
function nameOfRefs(file: string): string {
  const author = /^refs\((.+)\)\.p$/.exec(basename(file))?.[1];
  const dataset = basename(dirname(file));
  const candidates = names.filter((name) => name.endsWith(`-${author}`));
  const name =
    candidates.find((candidate) => candidate === `${dataset}-${author}`) ??
    (candidates.length === 1 ? candidates[0] : undefined);
  if (name !== undefined) return name;
  throw new CliprpnError(
    "bad_input",
    `--match ${file}: the file's name does not tell which dataset it is of; pass NAME=FILE with NAME one of ${names.join(", ")}`,
  );
}

function existing(file: string): string {
  if (existsSync(file)) return file;
  throw new CliprpnError("not_found", `${file}: expected a refs file, found no file`);
}
