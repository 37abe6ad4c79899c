import type { Change } from "./fault-board.ts";

/** Changes that do the same: of one role, by one call, at one kind of path. */
export interface Place extends Change {
  /** How many there are in an undisturbed run. */
  count: number;
}

/** The places of an undisturbed run, the same in every such run. */
export function placesOf(changes: readonly Change[]): Place[] {
  const places = new Map<string, Place>();
  for (const { role, call, path } of changes) {
    if (role === "other" || path.endsWith(" (deleted)")) continue;
    const pattern = patternOf(path);
    const key = [role, call, pattern].join(" ");
    const known = places.get(key) ?? { role, call, path: pattern, count: 0 };
    places.set(key, { ...known, count: known.count + 1 });
  }
  return [...places.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}

/** `write journal.jsonl`: a place without the folders, for a table. */
export function nameOf({ call, path }: Change): string {
  return `${call} ${patternOf(path).split("/").at(-1)}`;
}

/** The path with `*` for ids, numbers and random parts. */
export function patternOf(path: string): string {
  return path
    .replace(/\.report-\w{6}/, ".report-*")
    .replace(/cliprpn-\w{6}/, "cliprpn-*")
    .replace(/new-[^/]*-\d+-[0-9a-f]{16}/, "new-*")
    .replace(/tfevents\.[^/]*/, "tfevents.*")
    .replace(/(?<=[/.-])[0-9a-f]{8,}(?=[/.-]|$)/g, "*")
    .replace(/(?<=\/)\d+(?=\/|$)/g, "*")
    .replace(/(?<=\/queue\/(pilots|barred|logs)\/).*/, "*")
    .replace(/\*\.\d+(@[^/]*?)?(?=\.jsonl?)/, "*")
    .replace(/^tmp\/[^/]*/, "tmp/*");
}
