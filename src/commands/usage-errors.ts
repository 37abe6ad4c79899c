import { didYouMean } from "../base/did-you-mean.ts";
import type { Command } from "./command.ts";

/** A usage error: what is wrong, the closest name, and where to find help. */
export function usageError(message: string, argv: string[], commands: Command[]): string {
  const command = commands.find(({ usage }) => usage.split(" ")[0] === argv[0]);
  if (command === undefined) {
    const more = "`cliprpn --help` lists the commands.";
    const typed = argv.find((argument) => !argument.startsWith("-"));
    if (typed === undefined) return `${message} ${more}`;
    const names = commands.flatMap(({ usage, hidden }) =>
      hidden === true ? [] : (usage.split(" ")[0] ?? []),
    );
    return `unknown command ${typed}.${didYouMean(typed, names)} ${more}`;
  }
  const more = `\`cliprpn ${argv[0]} --help\` shows its options.`;
  const unknown = /^Unknown arguments?: ([^,]+)/.exec(message)?.[1];
  if (unknown !== undefined) {
    const isOption = argv.some((argument) => argument.startsWith("-") && argument.includes(unknown));
    if (!isOption) return `unexpected argument ${unknown}: expected cliprpn ${command.usage}. ${more}`;
    const names = Object.keys(command.options ?? {}).map((name) => `--${name}`);
    return `unknown option --${unknown}.${didYouMean(`--${unknown}`, names)} ${more}`;
  }
  if (message.startsWith("Not enough non-option")) return `expected cliprpn ${command.usage}. ${more}`;
  const choices = /Argument: (\S+), Given: "?([^",]*)"?, Choices: (.*)/.exec(message);
  if (choices !== null)
    return `--${choices[1]}: expected one of ${choices[3]}, found "${choices[2]}". ${more}`;
  const bare = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
  if (bare !== undefined) return `--${bare}: expected a value, found none. ${more}`;
  return `${message}. ${more}`;
}
