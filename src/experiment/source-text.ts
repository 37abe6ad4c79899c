import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { LocatedProblem, Location, Path } from "./problem.ts";
import { describeOtherKind } from "./source-kind.ts";
import { findSyntaxHints } from "./syntax-hints.ts";

/** Deeper nesting than anyone writes would overflow the stack of the functions that walk it. */
const maxDepth = 64;
/** The end-of-file token; jsonc-parser has the tokens in a const enum, which cannot be imported. */
const endOfFile = 17;

/** A JSON file (comments and trailing commas allowed) with the line and column of each value. */
export class SourceText {
  readonly #file: string;
  readonly #what: string;
  readonly #text: string;
  readonly #root: Node | undefined;
  readonly #problems: LocatedProblem[];
  /** Found with the first problem, since there may be thousands. */
  #lineStarts: number[] | undefined;

  /**
   * @param bytes UTF-8, with or without a byte order mark.
   * @param what the file should contain.
   */
  constructor(file: string, bytes: Uint8Array, what = "an experiment") {
    this.#file = file;
    this.#what = what;
    this.#text = new TextDecoder().decode(bytes);
    const fatal = isUtf8(bytes) ? this.#nestingProblem() : this.#encodingProblem();
    const errors: ParseError[] = [];
    this.#root =
      fatal === undefined ? parseTree(this.#text, errors, { allowTrailingComma: true }) : undefined;
    const problems = fatal === undefined ? this.#syntaxProblems(errors) : [fatal];
    const otherKind = problems.length === 0 ? undefined : describeOtherKind(file, bytes, this.#text);
    this.#problems = otherKind === undefined ? problems : [{ ...this.#at(0), message: otherKind }];
  }

  /** Syntax errors of the JSON text; empty if it is valid. */
  get syntaxProblems(): LocatedProblem[] {
    return this.#problems;
  }

  /** Keys that occur twice in one object. */
  get repeatedKeys(): LocatedProblem[] {
    return this.#root === undefined ? [] : this.#findRepeatedKeys(this.#root);
  }

  /** The parsed value; of a repeated key, the last one counts. */
  get value(): unknown {
    return this.#root === undefined ? undefined : plainValue(this.#root);
  }

  /** Line and column of a value, or of its key when `atKey` is set; of the nearest enclosing value when the path does not exist. */
  where(path: Path, atKey = false): Location {
    let node = this.#root;
    let property: Node | undefined;
    for (const [index, part] of path.entries()) {
      const child = childOf(node, part);
      if (child === undefined) break;
      property = index === path.length - 1 ? child.property : undefined;
      node = child.value;
    }
    return this.#at((atKey && property !== undefined ? property : node)?.offset ?? 0);
  }

  #nestingProblem(): LocatedProblem | undefined {
    const scanner = createScanner(this.#text, true);
    let depth = 0;
    while (scanner.scan() !== endOfFile) {
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

  #encodingProblem(): LocatedProblem {
    return {
      ...this.#at(Math.max(0, this.#text.indexOf("\uFFFD"))),
      message: "expected UTF-8 text, found invalid bytes; save the file as UTF-8",
    };
  }

  #syntaxProblems(errors: ParseError[]): LocatedProblem[] {
    if (this.#root === undefined)
      return [{ ...this.#at(0), message: `expected ${this.#what} ({...}), found no value` }];
    const [first] = errors;
    if (first === undefined) return [];
    const hints = findSyntaxHints(this.#text);
    if (hints.length > 0)
      return hints.map(({ offset, message }) => ({
        ...this.#at(offset),
        message: `not valid JSON: ${message}`,
      }));
    // The errors after the first are its consequences.
    const { error, offset } = first;
    if (this.#text.slice(offset).trim() === "")
      return [{ ...this.#at(offset), message: "not valid JSON: the file ends too early; is a } missing?" }];
    const found = this.#text[offset];
    const other = found === "}" ? "]" : found === "]" ? "}" : undefined;
    const message =
      other === undefined ? describeSyntaxError(error, this.#what) : `found ${found}; is a ${other} missing?`;
    return [{ ...this.#at(offset), message: `not valid JSON: ${message}` }];
  }

  #findRepeatedKeys(node: Node): LocatedProblem[] {
    const problems: LocatedProblem[] = [];
    const seen = new Set<string>();
    for (const child of node.children ?? []) {
      const [key] = child.type === "property" ? (child.children ?? []) : [];
      if (key !== undefined) {
        if (seen.has(key.value))
          problems.push({
            ...this.#at(key.offset),
            message: `duplicate key ${JSON.stringify(key.value)}; keep one`,
          });
        seen.add(key.value);
      }
      problems.push(...this.#findRepeatedKeys(child));
    }
    return problems;
  }

  /** The last line that starts at the offset or before it, counted from 0, and its start. */
  #lineAt(offset: number): { line: number; start: number } {
    this.#lineStarts ??= findLineStarts(this.#text);
    let [line, next] = [0, this.#lineStarts.length];
    while (next - line > 1) {
      const middle = Math.floor((line + next) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) line = middle;
      else next = middle;
    }
    return { line, start: this.#lineStarts[line] ?? 0 };
  }

  #at(offset: number): Location {
    const { line, start } = this.#lineAt(offset);
    return { where: `${this.#file}:${line + 1}:${offset - start + 1}`, offset };
  }
}

/** Where each line of a text starts. */
function findLineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), ({ index, 0: end }) => index + end.length)];
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Unlike the function of jsonc-parser, safe with a key `__proto__`. */
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
  const entry = node.children?.findLast(({ children }) => children?.[0]?.value === part);
  const [property, value] = entry?.children ?? [];
  return property === undefined || value === undefined ? undefined : { value, property };
}

function describeSyntaxError(error: ParseError["error"], what: string): string {
  const code = printParseErrorCode(error);
  const words = code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return code === "EndOfFileExpected"
    ? `${words}, found more; a file has ${what.replace(/^an? /, "one ")}, {...}`
    : words;
}
