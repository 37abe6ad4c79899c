import { counted, joinWords, percent } from "../../base/format.ts";
import type { Remark, Summary } from "../../contract/generated/types.ts";
import { orderRemark } from "../audit/audit-verdict.ts";
import { groupName, isSelectedOnVal, subsetKey } from "../figures.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { negated, plainInterval, points, signedInterval } from "../points.ts";
import { epochsByLabel, type ReportInput, type ShownAudit, type VerdictInput } from "../report-input.ts";
import { type RowNoun, rowNoun } from "../wording.ts";
import { overridesByLabel } from "./overrides.ts";

/** What qualifies the verdict, the most important first; several remarks of one kind are one sentence. */
export function remarks({ summary, trials }: VerdictInput): string[] {
  const { remarks: all, best } = summary.verdict;
  const of = <K extends Remark["kind"]>(kind: K): Extract<Remark, { kind: K }>[] =>
    all.filter((remark): remark is Extract<Remark, { kind: K }> => remark.kind === kind);
  const weaknesses = [
    ...behind(of("behind"), rowNoun(summary.settings)),
    ...belowChance(of("below_chance"), summary),
    ...of("not_above_blank").map(({ difference }) =>
      difference.high !== null && difference.high < 0
        ? `significantly below its own image-only answers, by ${plainInterval(negated(difference), " points")}`
        : `not significantly above its own image-only answers: ${signedInterval(difference, " points")}`,
    ),
  ];
  return [
    ...seeds(of("seeds")),
    ...(weaknesses.length === 0 ? [] : [`${quoteLabel(best)} is ${joinWords(weaknesses)}`]),
    ...of("still_rising").map(({ labels }) => rising(labels, trials)),
  ];
}

/** "2 of 3 seeds of film finished". */
function seeds([first, ...others]: Extract<Remark, { kind: "seeds" }>[]): string[] {
  if (first === undefined) return [];
  const ofFirst = `${first.num_completed} of ${counted(first.num_planned, "seed")} of ${quoteLabel(first.label)} finished`;
  const more =
    others.length === 0 ? "" : `; seeds of ${nameLabels(others.map(({ label }) => label))} are missing, too`;
  return [`${ofFirst}${more}`];
}

/** "behind token in negation by 16.4 points (12.7 to 20.3)". */
function behind(found: Extract<Remark, { kind: "behind" }>[], noun: RowNoun): string[] {
  const [worst] = found.toSorted((a, b) => a.difference.mean - b.difference.mean);
  if (worst === undefined) return [];
  const subsets = new Set(found.map(subsetKey)).size;
  const rivals = [...new Set(found.map(({ against }) => against))];
  const where = groupName(worst);
  const gap = plainInterval(negated(worst.difference), " points");
  if (subsets === 1)
    return [`behind ${nameLabels(rivals)} in ${where} by ${rivals.length > 1 ? "up to " : ""}${gap}`];
  if (rivals.length === 1)
    return [`behind ${nameLabels(rivals)} in ${subsets} subsets, most in ${where} by ${gap}`];
  return [
    `behind other ${noun}s in ${subsets} subsets, most behind ${quoteLabel(worst.against)} in ${where} by ${gap}`,
  ];
}

/** "below same-category chance in negation (28.6 % against 45.0 %)". */
function belowChance(found: Extract<Remark, { kind: "below_chance" }>[], { split }: Summary): string[] {
  const [worst] = found.toSorted((a, b) => a.acc_at_50.mean - a.chance - (b.acc_at_50.mean - b.chance));
  if (worst === undefined) return [];
  const { by, group, acc_at_50, chance } = worst;
  const where = by === null || group === null ? `on ${split} as a whole` : `in ${groupName({ by, group })}`;
  const others = found.length === 1 ? "" : `in ${found.length} places, most `;
  return [
    `below same-category chance ${others}${where} (${percent(acc_at_50.mean)} against ${percent(chance)})`,
  ];
}

/** "Accuracy of film was still rising after 2 epochs". */
function rising(labels: string[], trials: VerdictInput["trials"]): string {
  const epochs = epochsByLabel(trials);
  const nums = labels.flatMap((label) => epochs.get(label) ?? []).toSorted((a, b) => a - b);
  const [least, most] = [nums.at(0), nums.at(-1)];
  const after =
    least === undefined || most === undefined
      ? "at the last epoch"
      : least === most
        ? `after ${counted(least, "epoch")}`
        : `after ${least} to ${most} epochs`;
  return `Accuracy of ${nameLabels(labels)} was still rising ${after}`;
}

/** What only the report knows; printed after the verdict, in the same paragraph. */
export function otherRemarks(input: ReportInput): string[] {
  const { summary, trials, presets, variedKeys, numLooks, audits = [] } = input;
  const { split, optimism, settings, verdict } = summary;
  const compared = settings.filter(({ is_upper_bound }) => !is_upper_bound);
  const trained = trials.flatMap(({ spec }) => (spec.kind === "cliprpn" ? [spec] : []));
  const overridden = overridesByLabel(trained, presets, variedKeys).flatMap(({ labels }) => labels);
  return [
    ...audits.flatMap(auditRemark),
    ...(split === "val" ? [] : selectedOnVal(summary)),
    ...(numLooks === 0 ? [] : [`This is look ${numLooks} at ${split} of this dataset in this runs folder.`]),
    ...(optimism === null || optimism < 0.0005
      ? []
      : [
          `Chosen on these images as the highest of ${compared.length}, the Acc@0.5 of ${quoteLabel(verdict.best)} is overestimated by about ${points(optimism)} points.`,
        ]),
    ...(overridden.length === 0
      ? []
      : [`Values of their presets are overridden in ${nameLabels(overridden)} (see What differs).`]),
  ];
}

/** What an audit found; of an earlier training only that there is one. */
function auditRemark({ name, summary, isEarlier }: ShownAudit): string[] {
  if (isEarlier)
    return [
      `The audit of ${quoteLabel(summary.label)} (${name}) is of an earlier training; run \`cliprpn audit\` again.`,
    ];
  const remark = orderRemark(summary);
  return remark === undefined ? [] : [`${remark} (audit).`];
}

/** What was selected on val, seen from another split. */
function selectedOnVal(summary: Summary): string[] {
  const trains = summary.settings.some(({ kind }) => kind === "cliprpn");
  const best = isSelectedOnVal(summary) ? `the best ${rowNoun(summary.settings)}` : undefined;
  if (best !== undefined) return [`Epochs and ${best} were selected on val.`];
  return trains ? ["Epochs of trained models were selected on val."] : [];
}
