/** What a lock adds to another one that holds the same versions. */
export function withoutPackagesOf(other: string, lock: string): string {
  const held = new Set(blocks(other).map(({ name }) => name));
  return blocks(lock)
    .filter(({ name }) => !held.has(name))
    .map(({ text }) => text)
    .join("");
}

/** One block per requirement: its line, its hashes and its comments. */
export function blocks(lock: string): { name: string; version: string; text: string }[] {
  return lock.split(/^(?=[A-Za-z0-9])/m).flatMap((text) => {
    const [, name, version] = /^([A-Za-z0-9._-]+)==([^\s;]+)/.exec(text) ?? [];
    return name === undefined || version === undefined ? [] : [{ name, version, text }];
  });
}
