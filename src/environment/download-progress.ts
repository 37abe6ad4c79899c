/** How far uv is, made from the lines that it prints. */
export interface Progress {
  phase: "resolving" | "fetching" | "installing" | "compiling";
  /** MB of the packages that are being fetched or have been; uv names only the larger ones. */
  sizes_mb: Record<string, number>;
  done: string[];
}

export const notStarted: Progress = { phase: "resolving", sizes_mb: {}, done: [] };

/** What a further line of uv's changes. */
export function follow(progress: Progress, line: string): Progress {
  const [, started, amount, unit] = /^Downloading (\S+) \(([\d.]+)([KMG])iB\)/.exec(line) ?? [];
  if (started !== undefined && amount !== undefined) {
    const mb = (Number(amount) * 1024 ** "_KMG".indexOf(unit ?? "M")) / 1e6;
    return { ...progress, phase: "fetching", sizes_mb: { ...progress.sizes_mb, [started]: mb } };
  }
  const [, finished] = /^Downloaded (\S+)/.exec(line) ?? [];
  if (finished !== undefined) return { ...progress, done: [...progress.done, finished] };
  if (line.startsWith("Prepared ")) return { ...progress, phase: "installing" };
  if (line.startsWith("Installed ")) return { ...progress, phase: "compiling" };
  return progress;
}

/** Progress as one line for a person. */
export function tell({ phase, sizes_mb, done }: Progress): string {
  if (phase === "resolving") return "asking the package index";
  if (phase === "installing") return "putting the packages in place";
  if (phase === "compiling") return "compiling Python files";
  const names = Object.keys(sizes_mb);
  const gb = (which: string[]): string =>
    (which.reduce((sum, name) => sum + (sizes_mb[name] ?? 0), 0) / 1000).toFixed(1);
  const open = names.filter((name) => !done.includes(name));
  const now =
    open.length === 0 ? "" : `; fetching ${open.slice(0, 3).join(", ")}${open.length > 3 ? ", ..." : ""}`;
  return `${gb(done)} of ${gb(names)} GB, ${done.length} of ${names.length} large packages${now}`;
}
