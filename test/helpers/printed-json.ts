import type { Path } from "../../src/experiment/problem.ts";

/** JSON as a tree, which can also have the same key twice. */
export type Tree =
  | { kind: "object"; entries: [key: string, value: Tree][] }
  | { kind: "array"; items: Tree[] }
  | { kind: "value"; value: string | number | boolean | null };

/** The text of a tree, with the position of each key and value. */
export interface Printed {
  text: string;
  /** `line:column` of the value at the path; of the last one if a key occurs twice. */
  valueAt(path: Path): string;
  keyAt(path: Path): string;
}

export function toTree(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: "array", items: value.map(toTree) };
  if (typeof value === "object" && value !== null)
    return { kind: "object", entries: Object.entries(value).map(([key, item]) => [key, toTree(item)]) };
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return { kind: "value", value };
  return { kind: "value", value: null };
}

/** @param gaps white space and comments to write between tokens, in turn. */
export function print(tree: Tree, gaps: string[], start = ""): Printed {
  const values = new Map<string, string>();
  const keys = new Map<string, string>();
  let text = "";
  let line = 1;
  let column = 1;
  let nextGap = 0;
  const write = (piece: string): void => {
    text += piece;
    const lines = piece.split(/\r\n|\r|\n/);
    line += lines.length - 1;
    column = lines.length > 1 ? (lines.at(-1)?.length ?? 0) + 1 : column + piece.length;
  };
  const writeGap = (): void => {
    write(gaps[nextGap % Math.max(1, gaps.length)] ?? "");
    nextGap += 1;
  };
  const visit = (node: Tree, path: Path): void => {
    values.set(JSON.stringify(path), `${line}:${column}`);
    if (node.kind === "value") {
      write(JSON.stringify(node.value));
      return;
    }
    const parts: [string | number, Tree][] =
      node.kind === "object" ? node.entries : node.items.map((item, index) => [index, item]);
    write(node.kind === "object" ? "{" : "[");
    for (const [index, [key, item]] of parts.entries()) {
      if (index > 0) write(",");
      writeGap();
      if (node.kind === "object") {
        keys.set(JSON.stringify([...path, key]), `${line}:${column}`);
        write(JSON.stringify(key));
        writeGap();
        write(":");
        writeGap();
      }
      visit(item, [...path, key]);
      writeGap();
    }
    write(node.kind === "object" ? "}" : "]");
  };
  writeGap();
  visit(tree, []);
  writeGap();
  const positionOf = (positions: Map<string, string>, path: Path): string =>
    positions.get(JSON.stringify(path)) ?? `no position for ${path.join(".")}`;
  return {
    text: start + text,
    valueAt: (path) => positionOf(values, path),
    keyAt: (path) => positionOf(keys, path),
  };
}
