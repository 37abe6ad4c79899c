import { check } from "../../src/contract/check.ts";
import type { TrialIdentity } from "../../src/contract/generated/types.ts";
import { withIdentityDefaults } from "../../src/contract/trial-identity.ts";

/** Reads a stored trial, as of an earlier version. @throws CliprpnError contract_violation, with `where` in its message. */
export function readTrialIdentity(value: unknown, where: string): TrialIdentity {
  return check("TrialIdentity", withIdentityDefaults(value), where);
}
