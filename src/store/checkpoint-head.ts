import { closeSync, openSync, readSync } from "node:fs";
import { findSchemaErrors } from "../contract/check.ts";
import type { CheckpointHead } from "../contract/generated/types.ts";
import { parseJson } from "./files.ts";

/** What the first line of a checkpoint says; undefined if it is gone, or has none that this version can read. */
export function readCheckpointHead(file: string): CheckpointHead | undefined {
  const [, json] = /^cliprpn checkpoint 1 [0-9a-f]{64} (\{.*\})\n/.exec(beginningOf(file)) ?? [];
  const head = json === undefined ? undefined : parseJson(json);
  return findSchemaErrors("CheckpointHead", head).length === 0 ? (head as CheckpointHead) : undefined;
}

function beginningOf(file: string): string {
  try {
    const fd = openSync(file, "r");
    try {
      const buffer = Buffer.alloc(maxBytes);
      return buffer.toString("utf8", 0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch {
    return ""; // Removed meanwhile.
  }
}

/** More than the line has. */
const maxBytes = 1024;
