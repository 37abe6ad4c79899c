import yargs from "yargs";
import { CliprpnError } from "../contract/errors.ts";
import { Arguments, type Command, type Context, type Option } from "./command.ts";
import { explained } from "./usage-errors.ts";

/** Parses what was typed and runs the one command. The only file that knows yargs. @returns the exit code. */
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
    .usage(
      "$0 <command>\n\nFrom one JSON file to a statistically honest comparison report for visual grounding.",
    )
    .version(version)
    .help()
    .strict()
    .demandCommand(1, "Which command?")
    .wrap(100)
    .exitProcess(false)
    .fail((message, error) => {
      // yargs throws some of what it has to say of the input, as a YError.
      if (error !== undefined && error.name !== "YError") throw error;
      throw new CliprpnError("bad_input", explained(message ?? error?.message ?? "", argv, commands));
    });
  for (const command of commands) {
    const { describe: text, usage, hidden } = command;
    parser.command({
      command: usage,
      describe: hidden === true ? false : text,
      builder: (own) => {
        for (const [name, option] of Object.entries(command.positionals ?? {}))
          own.positional(name, positional(option));
        for (const [name, option] of Object.entries(command.options ?? {})) own.option(name, named(option));
        for (const [example, meaning] of command.examples ?? []) own.example(example, meaning);
        return own;
      },
      handler: (values) => {
        checkValues(values, command.options ?? {});
        run = async () => (await command.load())(new Arguments(values), context);
      },
    });
  }
  await parser.parseAsync(argv, {}, (_error, _values, output) => {
    if (output) context.terminal.result(output);
  });
  if (run !== undefined) code = await run();
  return code;
}

/** An option that takes one value takes no more: `--set a=1 file.json` leaves the file alone. */
function named({ minimum: _, ...option }: Option): Omit<Option, "minimum"> & { nargs?: number } {
  return option.type === "boolean" ? option : { ...option, nargs: 1 };
}

/** What yargs takes without a word: a number that is none, an option given twice. */
function checkValues(values: Record<string, unknown>, options: Record<string, Option>): void {
  for (const [name, { type, minimum = 1 }] of Object.entries(options)) {
    const value = values[name];
    if (type !== "array" && Array.isArray(value))
      throw new CliprpnError("bad_input", `--${name}: expected it once, found ${value.join(" and ")}`);
    if (type !== "number" || value === undefined) continue;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum)
      throw new CliprpnError("bad_input", `--${name}: expected a whole number, at least ${minimum}`);
  }
}

function positional({ describe, type, default: initial }: Option): {
  describe: string;
  type?: "string" | "number" | "boolean";
  array?: boolean;
  default?: string | number | boolean;
} {
  const own = type === "array" ? { describe, array: true, type: "string" as const } : { describe, type };
  return initial === undefined ? own : { ...own, default: initial };
}
