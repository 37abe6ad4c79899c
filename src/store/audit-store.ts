import { join } from "node:path";
import type { StoredAudit } from "../contract/generated/types.ts";
import { readStored } from "./files.ts";
import { ReportFolder, reportFoldersIn } from "./report-folder.ts";

/** The folder of an audit, `audits/<name>`. */
export class AuditStore extends ReportFolder {
  constructor(runsDir: string, name: string) {
    super(auditsFolder(runsDir), name, auditFile);
  }

  /** Undefined before it is complete. @throws CliprpnError bad_input if it is damaged. */
  read(): StoredAudit | undefined {
    return readStored("StoredAudit", this.file);
  }
}

/** What an audit found, for programs; it is written before the report. */
export const auditFile = "audit.json";

export function auditsFolder(runsDir: string): string {
  return join(runsDir, "audits");
}

/** All audits in a runs folder, the one that was changed last first; also those that stopped early. */
export function allAudits(runsDir: string): AuditStore[] {
  return reportFoldersIn(auditsFolder(runsDir), (name) => new AuditStore(runsDir, name));
}

/** The audits that are about trials of a sweep only. A damaged one is none. */
export function auditsOf(runsDir: string, trial_ids: ReadonlySet<string>): AuditStore[] {
  return allAudits(runsDir).filter((store) => {
    try {
      const audit = store.read();
      return audit !== undefined && isOfTrials(audit, trial_ids);
    } catch {
      return false;
    }
  });
}

export function isOfTrials({ models }: StoredAudit, trial_ids: ReadonlySet<string>): boolean {
  return (
    models.length > 0 &&
    models.every((model) => model.trial_ids.length > 0 && model.trial_ids.every((id) => trial_ids.has(id)))
  );
}
