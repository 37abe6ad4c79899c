/** A node, as sinfo lists it. */
export interface ListedNode {
  name: string;
  partition: string;
  /** In SLURM's word, such as `idle` or `drained`. */
  state: string;
  /** Whether jobs may start there, when it is free. */
  takesJobs: boolean;
  /** Why it does not, in the words of whoever took it out; empty if there are none. */
  reason: string;
}

/** For `sinfo --Node --format`. */
export const sinfoFormat = "%N|%P|%T|%E";

/** The nodes in the output of sinfo, each once. @param partition those of the default partition without one. */
export function parseSinfo(output: string, partition: string | undefined): ListedNode[] {
  const nodes = new Map<string, ListedNode>();
  for (const line of output.split("\n")) {
    const [name = "", listed = "", printed = "", ...rest] = line.trim().split("|");
    if (printed === "" || (partition === undefined && !listed.endsWith("*"))) continue;
    const [, state = "", flags = ""] = /^([a-z_]+)(.*)$/i.exec(printed) ?? [];
    const isSilent = flags.includes("*");
    const reason = rest.join("|");
    nodes.set(name, {
      name,
      partition: listed.replace(/\*$/, ""),
      state: isSilent ? `${state.toLowerCase()}, without an answer` : state.toLowerCase(),
      takesJobs: !(isSilent || out.has(state.toLowerCase())),
      reason: /^(none|n\/a)$/i.test(reason) ? "" : reason,
    });
  }
  return [...nodes.values()];
}

const out = new Set([
  "down",
  "drain",
  "drained",
  "draining",
  "drng",
  "error",
  "fail",
  "failing",
  "inval",
  "maint",
  "unknown",
]);
