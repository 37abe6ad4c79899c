import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../base/files.ts";
import type { StoredAudit } from "../contract/generated/types.ts";
import { readStored } from "./files.ts";

/** The folder of an audit: `runs/audits/<name>`. */
export class AuditStore {
  readonly folder: string;

  constructor(
    runsDir: string,
    readonly name: string,
  ) {
    this.folder = join(auditsFolder(runsDir), name);
  }

  open(): void {
    mkdirSync(this.folder, { recursive: true });
  }

  /** Undefined if there is none. @throws CliprpnError bad_input if it is broken. */
  read(): StoredAudit | undefined {
    return readStored("StoredAudit", join(this.folder, "audit.json"));
  }
}

/** All audits in a runs folder. */
export function auditsIn(runsDir: string): AuditStore[] {
  return namesIn(auditsFolder(runsDir))
    .filter((name) => !name.startsWith("."))
    .map((name) => new AuditStore(runsDir, name));
}

function auditsFolder(runsDir: string): string {
  return join(runsDir, "audits");
}
