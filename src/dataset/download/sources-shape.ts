import { CliprpnError } from "../../contract/errors.ts";
import type { Checksum, SourceFile } from "./source-file.ts";

/**
 * Takes a file of sources in, whoever wrote it: unknown keys are refused, names are plain, addresses are of the web.
 *
 * @param where names the file in errors.
 * @throws CliprpnError bad_input, a line for every problem.
 */
export function readSourcesShape(value: unknown, where: string): SourceFile[] {
  const problems: string[] = [];
  const shape = new Shape(value, where, problems);
  shape.onlyKeys(["note", "files"]);
  shape.text("note", true);
  const files = shape.items("files").map(readFile);
  const names = files.map(({ name }) => name.toLowerCase());
  names.forEach((name, index) => {
    if (name !== "" && names.indexOf(name) !== index)
      problems.push(`${where}: files[${index}].name: ${name} is there twice; give each file its own name`);
  });
  if (problems.length > 0) throw new CliprpnError("bad_input", problems.join("\n"));
  return files;
}

function readFile(shape: Shape): SourceFile {
  shape.onlyKeys([
    ...["name", "datasets", "bytes", "sha256", "md5"],
    ...["checksum_from", "urls", "licence", "by_hand"],
  ]);
  shape.text("checksum_from", true);
  return {
    name: shape.matching("name", plainName, 'a plain file name such as "refcocog.zip"'),
    datasets: shape.texts("datasets", (text) => /^[\w+.-]{1,60}$/.test(text), "a data set's name"),
    bytes: shape.bytes("bytes"),
    checksum: shape.checksum(),
    urls: shape.texts("urls", isWebAddress, "an http or https address without a password"),
    licence: shape.text("licence"),
    by_hand: shape.text("by_hand"),
  };
}

/** No folder, no hidden file, and none of the names that a download itself uses beside the file. */
const plainName = /^(?!downloads\.(?:json|lock)$)(?!.*\.part(?:\.json)?$)[A-Za-z0-9][\w+.-]{0,119}$/i;

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ["http:", "https:"].includes(protocol) && username === "" && password === "";
}

/** An object of the file, read key by key; what is wrong is noted and a value of the type stands in for it. */
class Shape {
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
    else problems.push(`${where}: ${path === "" ? "" : `${path}: `}expected an object, found ${told(value)}`);
  }

  onlyKeys(keys: string[]): void {
    for (const key of Object.keys(this.#value))
      if (!keys.includes(key)) this.#problem(key, `one of ${keys.join(", ")}`, "this key");
  }

  text(key: string, optional = false): string {
    const value = this.#value[key];
    if (optional && value === undefined) return "";
    // A person's terminal shows it: no control characters.
    if (typeof value === "string" && value.length <= 2000 && !/\p{Cc}/u.test(value)) return value;
    return this.#problem(key, "text of one line", told(value)) ?? "";
  }

  matching(key: string, pattern: RegExp, expected: string): string {
    const value = this.#value[key];
    if (typeof value === "string" && pattern.test(value)) return value;
    return this.#problem(key, expected, told(value)) ?? "";
  }

  texts(key: string, accepts: (text: string) => boolean, expected: string): string[] {
    return this.#list(key).flatMap((value, index) => {
      if (typeof value === "string" && accepts(value)) return [value];
      this.#problem(`${key}[${index}]`, expected, told(value));
      return [];
    });
  }

  items(key: string): Shape[] {
    return this.#list(key).map(
      (value, index) => new Shape(value, this.#where, this.#problems, this.#at(`${key}[${index}]`)),
    );
  }

  bytes(key: string): number | null {
    const value = this.#value[key];
    if (value === null || (typeof value === "number" && Number.isSafeInteger(value) && value > 0))
      return value;
    return this.#problem(key, "a whole number of bytes, or null where it is not known", told(value)) ?? null;
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
    const expected = `${length} hexadecimal digits in lower case, or null where it is not known`;
    return this.#problem(key, expected, told(value)) ?? null;
  }

  #list(key: string): unknown[] {
    const value = this.#value[key];
    if (Array.isArray(value) && value.length > 0) return value;
    return this.#problem(key, "a list with something in it", told(value)) ?? [];
  }

  #problem(key: string, expected: string, found: string): undefined {
    this.#problems.push(`${this.#where}: ${this.#at(key)}: expected ${expected}, found ${found}`);
  }

  #at(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

function told(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
}
