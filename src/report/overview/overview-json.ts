import { check } from "../../contract/check.ts";
import type { Overview } from "../../contract/generated/types.ts";
import { textsOf } from "../markdown.ts";
import { combinedVerdict } from "./combined-verdict.ts";
import { overviewLimitations } from "./overview-blocks.ts";
import type { OverviewInput } from "./overview-input.ts";

/** Everything that the overview says, for programs. @throws CliprpnError contract_violation. */
export function overviewJson(input: OverviewInput): Overview {
  const { name, question, command, combined, comparison, cliprpn_version, endpoints, files } = input;
  const overview: Overview = {
    schema_version: 1,
    cliprpn_version,
    name,
    question,
    command,
    verdict: combinedVerdict(combined, comparison),
    notes: overviewLimitations(input).flatMap(textsOf),
    combined,
    comparison,
    reports: endpoints.map((endpoint) => ({
      endpoint: endpoint.name,
      text: endpoint.files.text,
      json: endpoint.files.json,
    })),
  };
  return check("Overview", overview, files.json);
}
