import { didYouMean } from "../base/did-you-mean.ts";
import { splitOnce } from "../base/format.ts";
import type { AnswerFormat, Repeats } from "../contract/generated/types.ts";
import type { Location } from "../experiment/problem.ts";
import { at, type Report, type RequestedModel, type RequestedRun, type Written } from "./request.ts";

/** The options that say what a model is, as typed: `NAME=VALUE`, or `VALUE` for all models. */
export interface ModelOptions {
  results: string[];
  repeats: string[];
  format: string[];
  columns: string[];
  coordinates: string[];
  forceCoordinates: boolean;
  protocol: string[];
}

/** The models that the options name; options without a name are those of all models. */
export function requestedModels(options: ModelOptions, report: Report): RequestedModel[] {
  const models = new Map<string, RequestedModel>();
  for (const text of options.results) {
    const place = at("--results", text);
    const [name = "", what] = splitOnce(text, "=");
    if (what === undefined || what === "" || name === "") {
      const label = /([^/:]*?)(\.\w+)?$/.exec(text)?.[1] || "NAME";
      report(
        place,
        `expected NAME=FILE, found ${JSON.stringify(text)}; the name stands in the report: --results ${label}=${what ?? text}`,
      );
      continue;
    }
    const [label = "", data] = splitOnce(name, "@");
    const known = models.get(label) ?? newModel({ ...place, value: label }, options.forceCoordinates);
    known.runs.push(requestedRun(what, data, place));
    models.set(label, known);
  }
  const each = (
    option: string,
    texts: string[],
    set: (model: RequestedModel, value: Written<string>) => void,
  ): void => setEach(option, texts, models, set, report);
  each("--repeats", options.repeats, (model, value) => {
    const kind = repeats.find((known) => known === value.value);
    if (kind === undefined) report(value, unknownChoice(repeats, value.value));
    else model.repeats = { ...value, value: kind };
  });
  each("--format", options.format, (model, value) => {
    const format = formats.find((known) => known === value.value);
    if (format === undefined) report(value, unknownChoice(formats, value.value));
    else model.format = format;
  });
  each("--coordinates", options.coordinates, (model, value) => {
    model.coordinates = value;
  });
  each("--columns", options.columns, (model, value) => {
    const pairs = value.value.split(",").map((pair) => splitOnce(pair, "="));
    const wrong = pairs.find(([field, column]) => !field || !column);
    if (wrong !== undefined)
      report(
        value,
        `expected FIELD=COLUMN pairs, such as image=file_name,score=prob, found ${JSON.stringify(wrong.join("="))}`,
      );
    else model.columns = Object.fromEntries(pairs.map(([field = "", column = ""]) => [field.trim(), column]));
  });
  each("--protocol", options.protocol, (model, value) => {
    model.protocol = value;
  });
  return [...models.values()];
}

/** Sets an option, `[NAME=]VALUE`, of one model or of all. */
function setEach(
  option: string,
  texts: string[],
  models: ReadonlyMap<string, RequestedModel>,
  set: (model: RequestedModel, value: Written<string>) => void,
  report: Report,
): void {
  const labels = [...models.keys()];
  const named: [RequestedModel, Written<string>][] = [];
  for (const text of texts) {
    const place = at(option, text);
    const [name = "", value] = splitOnce(text, "=");
    const model = models.get(name);
    // `score=prob` are columns of all models, unless a model has this name and more follows.
    const isPairs = option === "--columns" && isColumnPairs(text);
    if (value !== undefined && model !== undefined && !isPairs) named.push([model, { ...place, value }]);
    else if ((value !== undefined && !isPairs) || (option === "--protocol" && labels.length !== 1))
      report(
        place,
        `expected ${option} ${option === "--protocol" ? "NAME=FILE" : "[NAME=]VALUE"} with the name of a model (${labels.join(", ") || "there is none"}), found ${JSON.stringify(value === undefined ? text : name)}.${didYouMean(name, labels)}`,
      );
    else for (const each of models.values()) set(each, { ...place, value: text });
  }
  // The value of one model counts before that of all, in any order.
  for (const [model, value] of named) {
    set(model, value);
    model.ownOption ??= value;
  }
}

function isColumnPairs(text: string): boolean {
  return /^[^,=]+=[^,=]+(,[^,=]+=[^,=]+)*$/.test(text);
}

function requestedRun(text: string, data: string | undefined, place: Location): RequestedRun {
  const [, kind, what] = /^(trial|sweep):(.+)$/.exec(text) ?? [];
  return kind === "trial" || kind === "sweep"
    ? { kind, what: { ...place, value: what ?? "" }, data }
    : { kind: "any", what: { ...place, value: text }, data };
}

function newModel(label: Written<string>, forceCoordinates: boolean): RequestedModel {
  return {
    label,
    runs: [],
    repeats: undefined,
    format: undefined,
    columns: undefined,
    coordinates: undefined,
    forceCoordinates,
    protocol: undefined,
    ownOption: undefined,
  };
}

const repeats = ["training_seed", "decoding", "prompt"] as const satisfies readonly Repeats[];

const formats = [
  "table",
  "coco",
  "mdetr",
  "transvg",
  "lmms_eval",
  "vlmevalkit",
  "internvl",
  "qwen",
  "vlm_r1",
] as const satisfies readonly AnswerFormat[];

function unknownChoice(known: readonly string[], found: string): string {
  return `expected one of ${known.join(", ")}, found ${JSON.stringify(found)}.${didYouMean(found, known)}`;
}
