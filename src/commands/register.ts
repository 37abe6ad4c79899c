import yargs from "yargs";
import { CliprpnError } from "../contract/errors.ts";
import { Arguments, type Command, type Context, type Option, runContext } from "./command.ts";
import { usageError } from "./usage-errors.ts";

/** Parses the command line and runs the command. The only file that uses yargs. @returns the exit code. */
export async function runCommand(
  commands: Command[],
  argv: string[],
  context: Context,
  version: string,
): Promise<number> {
  let code = 0;
  let run: (() => Promise<number>) | undefined;
  const parser = yargs()
    .scriptName("cliprpn")
    .usage("$0 <command>\n\nStatistically honest comparisons of visual grounding models, from one JSON file.")
    .version(version)
    .help()
    .strict()
    .demandCommand(1, "expected a command.")
    .wrap(80)
    .exitProcess(false)
    .fail((message, error) => {
      // yargs throws some usage errors as a YError.
      if (error !== undefined && error.name !== "YError") throw error;
      throw new CliprpnError("bad_input", usageError(message ?? error?.message ?? "", argv, commands));
    });
  for (const command of commands) {
    const { describe: text, usage, hidden } = command;
    parser.command({
      command: usage,
      describe: hidden === true ? false : text,
      builder: (parser) => {
        for (const [name, option] of Object.entries(command.positionals ?? {}))
          parser.positional(name, positionalOption(option));
        for (const [name, option] of Object.entries(command.options ?? {}))
          parser.option(name, valueOption(option));
        if (command.examples !== undefined) parser.epilogue(exampleLines(command.examples));
        return parser;
      },
      handler: (values) => {
        checkValues(values, command.options ?? {});
        run = async () => {
          const args = new Arguments(values);
          if (command.options?.["runs-dir"] !== undefined) {
            const { adoptRuns } = await import("../sweep/adopt-runs.ts");
            await adoptRuns(runContext(args, context));
          }
          return (await command.load())(args, context);
        };
      },
    });
  }
  await parser.parseAsync(argv, {}, (_error, _values, output) => {
    if (output) context.terminal.result(output);
  });
  if (run !== undefined) code = await run();
  return code;
}

/** An option takes exactly one value: `--set a=1 file.json` leaves the file as a positional. */
function valueOption({
  minimum: _,
  maximum: __,
  ...option
}: Option): Omit<Option, "minimum" | "maximum"> & { nargs?: number } {
  return option.type === "boolean" ? option : { ...option, nargs: 1 };
}

/** Each example in one line, to be copied, and its meaning below; yargs' columns would break it. */
function exampleLines(examples: [command: string, meaning: string][]): string {
  const lines = examples.map(([example, meaning]) => `  ${example}\n      ${meaning}`);
  return ["Examples:", ...lines].join("\n");
}

/** Checks what yargs accepts silently: values that are not numbers, options given twice. */
function checkValues(values: Record<string, unknown>, options: Record<string, Option>): void {
  for (const [name, { type, minimum = 1, maximum }] of Object.entries(options)) {
    const value = values[name];
    if (type !== "array" && Array.isArray(value))
      throw new CliprpnError(
        "bad_input",
        `--${name}: expected this option only once, found ${value.join(" and ")}`,
      );
    if (type !== "number" || value === undefined) continue;
    const isWhole = typeof value === "number" && Number.isSafeInteger(value);
    if (!isWhole || value < minimum || value > (maximum ?? value))
      throw new CliprpnError(
        "bad_input",
        `--${name}: expected a whole number, at least ${minimum}${maximum === undefined ? "" : ` and at most ${maximum}`}`,
      );
  }
}

function positionalOption({ describe, type, default: initial }: Option): {
  describe: string;
  type?: "string" | "number" | "boolean";
  array?: boolean;
  default?: string | number | boolean;
} {
  const option = type === "array" ? { describe, array: true, type: "string" as const } : { describe, type };
  return initial === undefined ? option : { ...option, default: initial };
}
