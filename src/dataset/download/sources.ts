import { readFile } from "node:fs/promises";
import { CliprpnError } from "../../contract/errors.ts";
import builtin from "./sources.json" with { type: "json" };

/** A file that datasets need, and where to download it. */
export interface RemoteFile {
  /** A plain file name, also the name on the disk. */
  name: string;
  /** The datasets that need it. */
  datasets: string[];
  /** Null: not published. */
  bytes: number | null;
  /** Null: not published. */
  checksum: Checksum | null;
  /** Mirrors, in the order in which they are tried. */
  urls: string[];
  license: string;
  /** Instructions to get the file manually if every mirror fails. */
  by_hand: string;
}

export interface Checksum {
  algorithm: "sha256" | "md5";
  hex: string;
}

/** The files of a dataset. @throws CliprpnError not_found when the sources have no file for it. */
export function filesFor(dataset: string, sources: RemoteFile[]): RemoteFile[] {
  const files = sources.filter(({ datasets }) => datasets.includes(dataset));
  if (files.length > 0) return files;
  const known = [...new Set(sources.flatMap(({ datasets }) => datasets))];
  throw new CliprpnError(
    "not_found",
    `${dataset}: no download source is known; expected ${known.join(", ")}. Download the files manually and pass their folder as --root, or list their URLs in a JSON file and pass it as --sources FILE`,
  );
}

/**
 * The sources that come with cliprpn, or those of the user's own file.
 *
 * @throws CliprpnError not_found; bad_input with all problems of the file.
 */
export async function readSources(file?: string): Promise<RemoteFile[]> {
  if (file === undefined) return parseSources(builtin, "sources.json");
  const text = await readFile(file, "utf8").catch((error) => {
    throw new CliprpnError("not_found", `${file}: cannot be read (${error.code})`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliprpnError("bad_input", `${file}: expected JSON: ${String(error)}`, { cause: error });
  }
  return parseSources(value, file);
}

/**
 * Validates untrusted sources: unknown keys are rejected, file names are plain, addresses are http or https.
 *
 * @param where the name of the file, for error messages.
 * @throws CliprpnError bad_input, with one line per problem.
 */
export function parseSources(value: unknown, where: string): RemoteFile[] {
  const problems: string[] = [];
  const reader = new ObjectReader(value, where, problems);
  reader.onlyKeys(["note", "files"]);
  reader.text("note", true);
  const files = reader.objects("files").map(parseFile);
  const names = files.map(({ name }) => name.toLowerCase());
  names.forEach((name, index) => {
    if (name !== "" && names.indexOf(name) !== index)
      problems.push(`${where}: files[${index}].name: ${name} is listed twice; give each file a unique name`);
  });
  if (problems.length > 0) throw new CliprpnError("bad_input", problems.join("\n"));
  return files;
}

function parseFile(reader: ObjectReader): RemoteFile {
  reader.onlyKeys([
    ...["name", "datasets", "bytes", "sha256", "md5"],
    ...["checksum_from", "urls", "license", "by_hand"],
  ]);
  reader.text("checksum_from", true);
  return {
    name: reader.matching("name", plainName, 'a plain file name such as "refcocog.zip"'),
    datasets: reader.texts("datasets", (text) => /^[\w+.-]{1,60}$/.test(text), "the name of a dataset"),
    bytes: reader.bytes("bytes"),
    checksum: reader.checksum(),
    urls: reader.texts("urls", isWebAddress, "an http or https URL without a password"),
    license: reader.text("license"),
    by_hand: reader.text("by_hand"),
  };
}

/** No folder, no hidden file, and no name that the download itself uses in the same folder. */
const plainName = /^(?!downloads\.(?:json|lock)$)(?!.*\.part(?:\.json)?$)[A-Za-z0-9][\w+.-]{0,119}$/i;

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ["http:", "https:"].includes(protocol) && username === "" && password === "";
}

/** Reads an object key by key. It collects the problems and returns a placeholder of the right type for a wrong value. */
class ObjectReader {
  readonly #value: Record<string, unknown> = {};
  readonly #where: string;
  readonly #path: string;
  readonly #problems: string[];

  constructor(value: unknown, where: string, problems: string[], path = "") {
    this.#where = where;
    this.#path = path;
    this.#problems = problems;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      this.#value = Object.fromEntries(Object.entries(value));
    else
      problems.push(`${where}: ${path === "" ? "" : `${path}: `}expected an object, found ${shown(value)}`);
  }

  onlyKeys(keys: string[]): void {
    for (const key of Object.keys(this.#value))
      if (!keys.includes(key)) this.#problem(key, `one of ${keys.join(", ")}`, "this key");
  }

  text(key: string, optional = false): string {
    const value = this.#value[key];
    if (optional && value === undefined) return "";
    // Printed on a terminal: no control characters.
    if (typeof value === "string" && value.length <= 2000 && !/\p{Cc}/u.test(value)) return value;
    return this.#problem(key, "a single line of text", shown(value)) ?? "";
  }

  matching(key: string, pattern: RegExp, expected: string): string {
    const value = this.#value[key];
    if (typeof value === "string" && pattern.test(value)) return value;
    return this.#problem(key, expected, shown(value)) ?? "";
  }

  texts(key: string, accepts: (text: string) => boolean, expected: string): string[] {
    return this.#list(key).flatMap((value, index) => {
      if (typeof value === "string" && accepts(value)) return [value];
      this.#problem(`${key}[${index}]`, expected, shown(value));
      return [];
    });
  }

  objects(key: string): ObjectReader[] {
    return this.#list(key).map(
      (value, index) =>
        new ObjectReader(value, this.#where, this.#problems, this.#pathOf(`${key}[${index}]`)),
    );
  }

  bytes(key: string): number | null {
    const value = this.#value[key];
    if (value === null || (typeof value === "number" && Number.isSafeInteger(value) && value > 0))
      return value;
    return this.#problem(key, "a whole number of bytes, or null if unknown", shown(value)) ?? null;
  }

  checksum(): Checksum | null {
    const sha256 = this.#hex("sha256", 64);
    const md5 = this.#hex("md5", 32);
    if (sha256 !== null) return { algorithm: "sha256", hex: sha256 };
    return md5 === null ? null : { algorithm: "md5", hex: md5 };
  }

  #hex(key: "sha256" | "md5", length: number): string | null {
    const value = this.#value[key];
    if (value === null || (value === undefined && key === "md5")) return null;
    if (typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value)) return value;
    const expected = `${length} lower-case hexadecimal digits, or null if unknown`;
    return this.#problem(key, expected, shown(value)) ?? null;
  }

  #list(key: string): unknown[] {
    const value = this.#value[key];
    if (Array.isArray(value) && value.length > 0) return value;
    return this.#problem(key, "a non-empty list", shown(value)) ?? [];
  }

  #problem(key: string, expected: string, found: string): undefined {
    this.#problems.push(`${this.#where}: ${this.#pathOf(key)}: expected ${expected}, found ${found}`);
  }

  #pathOf(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
}
