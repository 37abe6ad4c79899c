import yargs from "yargs";
import { CliprpnError } from "../contract/errors.ts";
import { Arguments, type Command, type Context, type Option } from "./command.ts";

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
    .recommendCommands()
    .demandCommand(1, "which command? `cliprpn --help` lists them")
    .wrap(100)
    .exitProcess(false)
    .fail((message, error) => {
      throw (
        error ??
        new CliprpnError(
          "bad_input",
          `${message}\n\`cliprpn --help\` lists commands, \`cliprpn <command> --help\` its options`,
        )
      );
    });
  for (const command of commands) {
    const { describe: text, usage, hidden } = command;
    parser.command({
      command: usage,
      describe: hidden === true ? false : text,
      builder: (own) => {
        for (const [name, option] of Object.entries(command.positionals ?? {}))
          own.positional(name, positional(option));
        for (const [name, option] of Object.entries(command.options ?? {}))
          own.option(name, { ...option, ...(option.type === "array" ? { requiresArg: true } : {}) });
        for (const [example, meaning] of command.examples ?? []) own.example(example, meaning);
        return own;
      },
      handler: (values) => {
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

function positional({ describe, type, default: initial }: Option): {
  describe: string;
  type?: "string" | "number" | "boolean";
  array?: boolean;
  default?: string | number | boolean;
} {
  const own = type === "array" ? { describe, array: true, type: "string" as const } : { describe, type };
  return initial === undefined ? own : { ...own, default: initial };
}
