import type { Roots } from "../../contract/generated/types.ts";

/** Program and arguments, and variables of the environment. */
interface Process {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** A process with the paths that it has on an engine's machines. */
export function processThere(
  { command, env }: Process,
  roots: Roots = {},
): {
  command: string[];
  env: Record<string, string>;
} {
  const variables = Object.entries(env).map(([name, value]) => [name, pathsThere(value, roots)]);
  return { command: command.map((part) => pathThere(part, roots)), env: Object.fromEntries(variables) };
}

/** A path of this machine as an engine's machines have it: the longest root that it begins with is replaced. */
export function pathThere(path: string, roots: Roots = {}): string {
  const pairs = Object.entries(roots).map(
    ([from, to = ""]) => [withoutSlash(from), withoutSlash(to)] as const,
  );
  const fitting = pairs.filter(([from]) => path === from || path.startsWith(`${from}/`));
  const [found] = fitting.toSorted(([a], [b]) => b.length - a.length);
  return found === undefined ? path : found[1] + path.slice(found[0].length);
}

/** Paths with colons between them, as in PYTHONPATH. */
function pathsThere(text: string, roots: Roots): string {
  return text
    .split(":")
    .map((path) => pathThere(path, roots))
    .join(":");
}

function withoutSlash(folder: string): string {
  return folder.replace(/\/+$/, "");
}
