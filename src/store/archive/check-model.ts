import { canonicalJson } from "../../contract/canonical-json.ts";
import type { TrialIdentity } from "../../contract/generated/types.ts";
import { identityDefaults } from "../../contract/identity-defaults.ts";
import { withoutDefaults } from "../../contract/trial-id.ts";
import { parseJson } from "../files.ts";
import { invalid } from "./open-archive.ts";

/**
 * Checks the JSON file next to a model's weights. A model's fusion is loaded as the file says, so it must be the fusion of the
 * trial: no other class of its source, and no source for a fusion of cliprpn.
 *
 * @throws CliprpnError data_invalid.
 */
export function checkModelFacts(text: string, identity: TrialIdentity, path: string, archive: string): void {
  const facts = parseJson(text);
  if (!isRecord(facts) || facts.kind !== "cliprpn-model" || identity.kind === "baseline")
    throw invalid(archive, `${path}: expected the facts of a trained model, found others`);
  if (facts.trial_id !== identity.trial_id)
    throw invalid(archive, `${path}: expected a model of its trial, found one of ${String(facts.trial_id)}`);
  const fusion = isRecord(facts.settings) ? facts.settings.fusion : undefined;
  const stored =
    isRecord(fusion) && typeof fusion.file === "string" ? withClass(fusion, fusion.file) : fusion;
  const usual = identityDefaults.fusions[identity.settings.fusion.kind];
  const same = (value: object): string => canonicalJson(withoutDefaults(value, usual));
  if (!isRecord(stored) || same(stored) !== same(identity.settings.fusion))
    throw invalid(archive, `${path}: expected the fusion of its trial, found ${JSON.stringify(fusion)}`);
}

/** A fusion as a spec.json has it: by its class, without its file. */
function withClass({ file: _, ...fusion }: Record<string, unknown>, file: string): Record<string, unknown> {
  return { ...fusion, class: file.slice(file.lastIndexOf(":") + 1) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
