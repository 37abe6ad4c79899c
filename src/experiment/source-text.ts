import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** A problem of an experiment: where, and what to do. */
export interface Problem {
  /** `experiments/fusion.json:12:9`, or the flag that brought the value in. */
  where: string;
  message: string;
}

export type Path = (string | number)[];

/** A JSON file (comments and trailing commas allowed) whose values know where they stand. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #root: Node | undefined;
  readonly #errors: ParseError[] = [];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text.replace(/^\uFEFF/, "");
    this.#root = parseTree(this.text, this.#errors, { allowTrailingComma: true });
  }

  /** What keeps the text from being JSON, and keys that stand twice in one object. */
  syntaxProblems(): Problem[] {
    const problems = this.#errors.map(({ error, offset }) => ({
      where: this.#at(offset),
      message: `not valid JSON: ${words(printParseErrorCode(error))}`,
    }));
    if (problems.length > 0 || this.#root === undefined) {
      return problems.length > 0
        ? problems
        : [{ where: this.#at(0), message: "expected an experiment (a JSON object), found nothing" }];
    }
    return this.#repeatedKeys(this.#root);
  }

  /** Line and column of a value; of its key when `key` is set, of the nearest enclosing value when there is none. */
  where(path: Path, key = false): string {
    for (let length = path.length; length >= 0; length -= 1) {
      const node =
        this.#root === undefined ? undefined : findNodeAtLocation(this.#root, path.slice(0, length));
      if (node === undefined) continue;
      const named =
        key && length === path.length && node.parent?.type === "property" ? node.parent.children?.[0] : node;
      return this.#at((named ?? node).offset);
    }
    return this.#at(0);
  }

  #repeatedKeys(node: Node): Problem[] {
    const problems: Problem[] = [];
    const seen = new Set<string>();
    for (const child of node.children ?? []) {
      const [key] = child.type === "property" ? (child.children ?? []) : [];
      if (key !== undefined) {
        if (seen.has(key.value))
          problems.push({
            where: this.#at(key.offset),
            message: `the key ${key.value} stands twice; keep one`,
          });
        seen.add(key.value);
      }
      problems.push(...this.#repeatedKeys(child));
    }
    return problems;
  }

  #at(offset: number): string {
    const before = this.text.slice(0, offset).split("\n");
    return `${this.file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  }
}

function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
