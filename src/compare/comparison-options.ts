import { splitOnce } from "../base/format.ts";
import { type ModelOptions, requestedModels } from "./model-options.ts";
import { at, type ComparisonRequest, collector, type Report, type Written } from "./request.ts";

/** The options of `cliprpn compare`, as typed. */
export interface ComparisonOptions extends ModelOptions {
  data: string[];
  baseline: string | undefined;
  smallestDifference: string | undefined;
  alpha: string | undefined;
  primary: string[];
  only: string[];
  name: string | undefined;
}

/** What the options ask for; problems are kept in it. */
export function readComparisonOptions(
  options: ComparisonOptions,
  cwd: string,
  origin = "cliprpn compare",
): ComparisonRequest {
  const { problems, report } = collector();
  const models = requestedModels(options, report);
  return {
    origin,
    folder: cwd,
    name: options.name,
    question: undefined,
    data: written("--data", options.data),
    models,
    primary: written("--primary", options.primary),
    baseline: written("--baseline", options.baseline === undefined ? [] : [options.baseline])[0],
    smallestDifference: numberOf(
      "--smallest-difference",
      options.smallestDifference,
      "points, above 0 and at most 100, such as 1",
      (value) => value > 0 && value <= 100,
      report,
    ),
    alpha: numberOf(
      "--alpha",
      options.alpha,
      "a probability above 0 and below 0.5, such as 0.05",
      (value) => value > 0 && value < 0.5,
      report,
    ),
    only: options.only.map((text) => {
      const [data, file] = splitOnce(text, "=");
      const place = at("--only", text);
      return file === undefined
        ? { file: { ...place, value: text }, data: undefined }
        : { file: { ...place, value: file }, data };
    }),
    published: [],
    problems,
  };
}

function numberOf(
  option: string,
  text: string | undefined,
  expected: string,
  isValid: (value: number) => boolean,
  report: Report,
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (isValid(value)) return value;
  report(at(option, ""), `expected ${expected}, found ${JSON.stringify(text)}`);
  return undefined;
}

function written(option: string, texts: string[]): Written<string>[] {
  return texts.map((value) => ({ ...at(option, value), value }));
}
