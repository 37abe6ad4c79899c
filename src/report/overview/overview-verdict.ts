import { asSentence } from "../../base/format.ts";
import { protocolRemarks } from "../sections/protocol.ts";
import { combinedVerdict } from "./combined-verdict.ts";
import type { OverviewInput } from "./overview-input.ts";

/** The result in a few sentences, with what differs between how the models were asked. */
export function overviewVerdict({ combined, comparison }: OverviewInput): string {
  const { best, rival } = combined.verdict;
  const remarks = protocolRemarks(comparison, [best, rival]).map(asSentence);
  return [combinedVerdict(combined, comparison), ...remarks].join(" ");
}
