import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** A place, for people and for sorting. */
export interface Place {
  /** `experiments/fusion.json:12:9`, or the flag that brought the value in. */
  where: string;
  /** In the text; -1 for a flag. */
  offset: number;
}

/** A problem of an experiment: where, and what to do. */
export interface Problem extends Place {
  message: string;
}

export type Path = (string | number)[];

/** Deeper nesting than anyone writes would exhaust the stack of whatever walks it. */
const maxDepth = 64;
const maxSyntaxProblems = 10;
/** A kind of token; the package has them as a const enum, which cannot be imported. */
const endOfText = 17;

/** A JSON file (comments and trailing commas allowed) whose values know where they stand. */
export class SourceText {
  readonly #file: string;
  readonly #text: string;
  readonly #root: Node | undefined;
  readonly #problems: Problem[];

  /** @param bytes UTF-8, with or without a byte order mark. */
  constructor(file: string, bytes: Uint8Array) {
    this.#file = file;
    this.#text = new TextDecoder().decode(bytes);
    const early = isUtf8(bytes) ? this.#tooDeep() : this.#notUtf8();
    const errors: ParseError[] = [];
    this.#root =
      early === undefined ? parseTree(this.#text, errors, { allowTrailingComma: true }) : undefined;
    this.#problems = early === undefined ? this.#syntaxProblems(errors) : [early];
  }

  /** What keeps the text from being JSON. */
  get syntaxProblems(): Problem[] {
    return this.#problems;
  }

  /** Keys that stand twice in one object. */
  get repeatedKeys(): Problem[] {
    return this.#root === undefined ? [] : this.#repeated(this.#root);
  }

  /** What the text says; of a key that stands twice, the last. */
  get value(): unknown {
    return this.#root === undefined ? undefined : plainValue(this.#root);
  }

  /** Line and column of a value; of its key when `key` is set, of the nearest enclosing value when there is none. */
  where(path: Path, key = false): Place {
    let node = this.#root;
    let property: Node | undefined;
    for (const [index, part] of path.entries()) {
      const found = childOf(node, part);
      if (found === undefined) break;
      property = index === path.length - 1 ? found.property : undefined;
      node = found.value;
    }
    return this.#at((key && property !== undefined ? property : node)?.offset ?? 0);
  }

  #tooDeep(): Problem | undefined {
    const scanner = createScanner(this.#text, true);
    let depth = 0;
    while (scanner.scan() !== endOfText) {
      const token = scanner.getTokenLength() === 1 ? this.#text.charAt(scanner.getTokenOffset()) : "";
      if (token === "{" || token === "[") depth += 1;
      if (token === "}" || token === "]") depth -= 1;
      if (depth > maxDepth)
        return {
          ...this.#at(scanner.getTokenOffset()),
          message: `expected at most ${maxDepth} levels of nesting, found more`,
        };
    }
    return undefined;
  }

  #notUtf8(): Problem {
    return {
      ...this.#at(Math.max(0, this.#text.indexOf("\uFFFD"))),
      message: "expected UTF-8 text, found other bytes; save the file as UTF-8",
    };
  }

  #syntaxProblems(errors: ParseError[]): Problem[] {
    if (this.#root === undefined)
      return [{ ...this.#at(0), message: "expected an experiment ({...}), found no value in the file" }];
    const problems = errors.map(({ error, offset }) => ({
      ...this.#at(offset),
      message: `not valid JSON: ${words(printParseErrorCode(error))}`,
    }));
    return problems.slice(0, maxSyntaxProblems);
  }

  #repeated(node: Node): Problem[] {
    const problems: Problem[] = [];
    const seen = new Set<string>();
    for (const child of node.children ?? []) {
      const [key] = child.type === "property" ? (child.children ?? []) : [];
      if (key !== undefined) {
        if (seen.has(key.value))
          problems.push({
            ...this.#at(key.offset),
            message: `the key ${JSON.stringify(key.value)} stands twice; keep one`,
          });
        seen.add(key.value);
      }
      problems.push(...this.#repeated(child));
    }
    return problems;
  }

  #at(offset: number): Place {
    const before = this.#text.slice(0, offset).split(/\r\n|\r|\n/);
    const where = `${this.#file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    return { where, offset };
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Unlike the parser's own, safe with a key `__proto__`. */
function plainValue({ type, value, children = [] }: Node): unknown {
  if (type === "array") return children.map(plainValue);
  if (type !== "object") return value;
  const entries = children.map(({ children: [key, item] = [] }): [string, unknown] => [
    String(key?.value),
    item === undefined ? undefined : plainValue(item),
  ]);
  return Object.fromEntries(entries);
}

function childOf(
  node: Node | undefined,
  part: string | number,
): { value: Node; property?: Node } | undefined {
  if (typeof part === "number") {
    const item = node?.type === "array" ? node.children?.[part] : undefined;
    return item === undefined ? undefined : { value: item };
  }
  if (node?.type !== "object") return undefined;
  const found = node.children?.findLast(({ children }) => children?.[0]?.value === part);
  const [property, value] = found?.children ?? [];
  return property === undefined || value === undefined ? undefined : { value, property };
}

function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
