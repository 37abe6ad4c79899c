import { resolve } from "node:path";
import { counted } from "../base/format.ts";
import { parseCoordinates } from "../compare/coordinates-text.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { BridgeMethods } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { coordinatesText } from "../report/sections/answers.ts";
import type { Arguments, Context } from "./command.ts";
import { chosenSplit } from "./dataset-choice.ts";

type Params = BridgeMethods["export_questions"]["params"];

const options = ["split", "prompt", "coordinates", "image-paths", "only"];
const defaultPrompt =
  "Locate the object that this expression refers to: {expression}. Answer with its bounding box only, {coordinates}.";

/**
 * The options of `dataset export --for vlm`; undefined without --for.
 *
 * @throws CliprpnError bad_input.
 */
export function readQuestionOptions(
  action: string,
  args: Arguments,
  { cwd }: Context,
): Omit<Params, "root" | "out_file"> | undefined {
  const isForVlm = args.text("for") === "vlm";
  const given = (isForVlm ? ["for"] : options).find((name) => args.text(name) !== undefined);
  if (given !== undefined && !(isForVlm && action === "export"))
    throw new CliprpnError("bad_input", `--${given}: only valid for \`dataset export NAME --for vlm\``);
  if (!isForVlm) return undefined;
  const only = args.text("only");
  return {
    split: args.text("split") === undefined ? null : chosenSplit(args),
    only: only === undefined ? null : resolve(cwd, only),
    ...readPrompt(args.text("coordinates"), args),
  };
}

/** How an expression is asked for; `audit --export` has the same options. @throws CliprpnError bad_input. */
export function readPrompt(
  coordinates: string | undefined,
  args: Arguments,
): Pick<Params, "prompt" | "coordinates" | "image_paths"> {
  const text = coordinates ?? "xyxy_1000";
  const parsed = parseCoordinates(text);
  if ("problem" in parsed) throw new CliprpnError("bad_input", `--coordinates ${text}: ${parsed.problem}`);
  return {
    prompt: args.text("prompt") ?? defaultPrompt,
    coordinates: coordinatesText(parsed.coordinates),
    image_paths: args.text("image-paths") === "relative" ? "relative" : "absolute",
  };
}

/** Writes the questions; `compare --results` reads the answers. */
export async function exportQuestions(
  params: Params,
  engine: Engine,
  { terminal, signal }: Context,
): Promise<number> {
  const { num_sentences } = await engine.call("export_questions", params, { signal });
  terminal.info(
    `${counted(num_sentences, "question")}, coordinates ${params.coordinates}. Add the field \`answer\` to each line, or write lines with \`sent_id\` and \`answer\`; then \`cliprpn compare --data NAME:SPLIT --results MODEL=FILE --coordinates ${params.coordinates}\``,
  );
  terminal.result(params.out_file);
  return EXIT.good;
}
