import { delimiter, join } from "node:path";
import { packageRoot } from "../../package-root.ts";

/** How a pilot is started. */
export interface PilotOptions {
  python: string;
  /** `queue/` of the sweep, as the pilot's machine sees it. */
  queue: string;
  /** auto, cpu, cuda, cuda:I or mps. */
  device: string;
  /** It ends when the queue was empty for this time. */
  idleS: number;
  /** Time that an attempt gets to stop when the pilot is asked to leave. */
  graceS?: number;
  /** Further folders of Python modules, searched last. */
  extraModulePath?: readonly string[];
  /** Folders of the sweep's machine, and where they are on the pilot's: FROM=TO. */
  replace?: readonly string[];
  /** Folder on the pilot's own disk for copies of features; may contain variables of its machine. */
  nodeCache?: string | undefined;
}

/** The command line of a pilot, without its label. */
export function pilotCommand(options: PilotOptions): string[] {
  const { python, queue, device, idleS, graceS, extraModulePath = [], replace = [], nodeCache } = options;
  return [
    python,
    ...["-m", "cliprpn.worker", "--queue", queue, "--device", device, "--idle-s", `${idleS}`],
    ...(graceS === undefined ? [] : ["--grace-s", `${graceS}`]),
    ...extraModulePath.flatMap((folder) => ["--module-path", folder]),
    ...replace.flatMap((pair) => ["--replace", pair]),
    ...nodeCacheOption(nodeCache),
  ];
}

export function nodeCacheOption(folder: string | undefined): string[] {
  return folder === undefined ? [] : ["--node-cache", folder];
}

/** PYTHONPATH of a pilot. @param kept that of the user, for the user's interpreter. */
export function pilotModulePath(kept: string | undefined): string {
  return [join(packageRoot, "python"), ...(kept ? [kept] : [])].join(delimiter);
}
