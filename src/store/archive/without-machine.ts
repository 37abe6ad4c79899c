import { parseJson, toJson } from "../files.ts";

/** An outcome as an archive has it: without the name of the machine. One that has none stays as it is, byte for byte. */
export function withoutHost(content: Buffer): Buffer {
  const outcome = parseJson(content.toString("utf8"));
  if (!isObject(outcome) || !isObject(outcome.environment) || !("host" in outcome.environment))
    return content;
  const { host: _, ...environment } = outcome.environment;
  return Buffer.from(toJson({ ...outcome, environment }));
}

/**
 * A journal as an archive has it: without the workers on other machines, and without what stopped the sweep on these. Other lines stay
 * as they are, also those that this version does not know. A line that a running sweep is writing is left out.
 */
export function withoutWorkers(content: Buffer): Buffer {
  const lines = content.toString("utf8").split("\n").slice(0, -1);
  return Buffer.from(lines.flatMap((line) => withoutWorker(line) ?? []).join(""));
}

/** Undefined for a line that is left out. */
function withoutWorker(line: string): string | undefined {
  if (!line.includes('"worker"') && !ofMachines.some((type) => line.includes(`"${type}"`)))
    return `${line}\n`;
  const entry = parseJson(line);
  if (!isObject(entry)) return `${line}\n`;
  if (ofMachines.some((type) => entry.type === type)) return undefined;
  const { worker: _, ...others } = entry;
  return `${JSON.stringify(others)}\n`;
}

/** Entries that say nothing elsewhere. */
const ofMachines = ["sweep_paused", "worker_changed", "workers_missing"];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
