import { basename } from "node:path";
import { count, counted } from "../base/format.ts";
import type { AnswersReport } from "../contract/generated/types.ts";
import { coordinatesText } from "../report/sections/answers.ts";
import type { Comparison } from "./comparison.ts";
import { type ConvertedFiles, convertedOf } from "./convert-files.ts";

/** A line for the terminal. */
export interface AnswerLine {
  kind: "info" | "warn";
  text: string;
}

/** One line for each file and split: how many expressions have an answer; then what is unusual. */
export function answerLines({ models, data }: Comparison, files: ConvertedFiles): AnswerLine[] {
  return models.flatMap((model) => {
    if (model.kind === "trials") return [];
    return data.flatMap(({ name }) => {
      const converted = convertedOf(files, model.label, name);
      return converted.flatMap(({ file, report }): AnswerLine[] => {
        const which = converted.length > 1 ? ` (${basename(file)})` : "";
        const where = data.length > 1 ? `, ${name}` : "";
        const start = `${model.label}${which}${where}`;
        return [
          { kind: "info", text: `${start}: ${answeredText(report, "expression")}` },
          ...report.notes.map((note): AnswerLine => ({ kind: "info", text: `${start}: ${note}` })),
          ...report.warnings.map((warning): AnswerLine => ({ kind: "warn", text: `${start}: ${warning}` })),
        ];
      });
    });
  });
}

/** "4,890 of 4,896 expressions answered (4 missing, 2 unparsed), boxes xyxy_1000". */
export function answeredText(report: AnswersReport, noun: string): string {
  const { num_answered, num_expressions, num_missing, num_unparsed, num_duplicates, num_strangers } = report;
  const lost = [
    ...(num_missing > 0 ? [`${count(num_missing)} missing`] : []),
    ...(num_unparsed > 0 ? [`${count(num_unparsed)} unparsed`] : []),
  ];
  const misses = lost.length === 0 ? "" : ` (${lost.join(", ")}: misses)`;
  const others = [
    ...(num_duplicates > 0 ? [counted(num_duplicates, "duplicate")] : []),
    ...(num_strangers > 0 ? [`${counted(num_strangers, "row")} of other ${noun}s`] : []),
  ];
  const more = others.length === 0 ? "" : `; ${others.join(" and ")} left out`;
  return `${count(num_answered)} of ${counted(num_expressions, noun)} answered${misses}, boxes ${coordinatesText(report.coordinates)}${more}`;
}
