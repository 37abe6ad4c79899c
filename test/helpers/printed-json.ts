/** JSON as a tree that may hold what no object can: the same key twice. */
export type Tree =
  | { kind: "object"; entries: [key: string, value: Tree][] }
  | { kind: "array"; items: Tree[] }
  | { kind: "value"; value: string | number | boolean | null };

export type Path = (string | number)[];

/** Text of a tree, and where each key and value begins, counted while it was written. */
export interface Printed {
  text: string;
  /** `line:column` of the value at the path; of the last such key when a key stands twice. */
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

/** @param gaps what stands between two tokens (white space, comments), taken in turn. */
export function print(tree: Tree, gaps: string[], start = ""): Printed {
  const values = new Map<string, string>();
  const keys = new Map<string, string>();
  let text = "";
  let line = 1;
  let column = 1;
  let turn = 0;
  const write = (piece: string): void => {
    text += piece;
    const lines = piece.split(/\r\n|\r|\n/);
    line += lines.length - 1;
    column = lines.length > 1 ? (lines.at(-1)?.length ?? 0) + 1 : column + piece.length;
  };
  const gap = (): void => {
    write(gaps[turn % Math.max(1, gaps.length)] ?? "");
    turn += 1;
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
      gap();
      if (node.kind === "object") {
        keys.set(JSON.stringify([...path, key]), `${line}:${column}`);
        write(JSON.stringify(key));
        gap();
        write(":");
        gap();
      }
      visit(item, [...path, key]);
      gap();
    }
    write(node.kind === "object" ? "}" : "]");
  };
  gap();
  visit(tree, []);
  gap();
  const place = (map: Map<string, string>, path: Path): string =>
    map.get(JSON.stringify(path)) ?? `nothing stands at ${path.join(".")}`;
  return {
    text: start + text,
    valueAt: (path) => place(values, path),
    keyAt: (path) => place(keys, path),
  };
}
