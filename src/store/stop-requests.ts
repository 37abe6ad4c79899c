import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../base/files.ts";
import { replaceFile } from "../base/replace-file.ts";
import type { StopRequest } from "../contract/generated/types.ts";
import { readStored, schemaVersion, toJson } from "./files.ts";

/**
 * Requests to stop a sweep or a trial of it, one file each: the process that runs the sweep may be on another machine. It takes a
 * request by removing its file.
 */
export class StopRequests {
  readonly #folder: string;

  constructor(sweepFolder: string) {
    this.#folder = join(sweepFolder, "stop-requests");
  }

  /** @param trial_id null for the whole sweep. @returns the request's file. */
  add(trial_id: string | null, command: string): string {
    mkdirSync(this.#folder, { recursive: true });
    const file = join(this.#folder, `${randomBytes(8).toString("hex")}.json`);
    const at = new Date().toISOString();
    const request: StopRequest = { schema_version: schemaVersion, at, trial_id, command };
    replaceFile(file, toJson(request));
    return file;
  }

  /** The requests; their files are removed. One that cannot be read is removed, too. */
  take(): StopRequest[] {
    return namesIn(this.#folder)
      .filter((name) => /^[0-9a-f]{16}\.json$/.test(name))
      .flatMap((name) => {
        const file = join(this.#folder, name);
        const request = readRequest(file);
        rmSync(file, { force: true });
        return request ?? [];
      });
  }
}

function readRequest(file: string): StopRequest | undefined {
  try {
    return readStored("StopRequest", file);
  } catch {
    return undefined;
  }
}
