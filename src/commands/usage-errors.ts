import { didYouMean } from "../base/did-you-mean.ts";
import { quoteForShell } from "../base/format.ts";
import { settingOfForeignKey } from "../experiment/foreign-keys.ts";
import { isTopLevel } from "../experiment/overrides.ts";
import { allSettingKeys } from "../experiment/presets.ts";
import type { Command } from "./command.ts";
import { adviseForeignOption } from "./foreign-options.ts";

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
  if (unknown !== undefined) return unknownArgument(unknown, argv, command, more);
  if (message.startsWith("Not enough non-option")) return `expected cliprpn ${command.usage}. ${more}`;
  const choices = /Argument: (\S+), Given: "?([^",]*)"?, Choices: (.*)/.exec(message);
  if (choices !== null)
    return `--${choices[1]}: expected one of ${choices[3]}, found "${choices[2]}". ${more}`;
  const bare = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
  if (bare !== undefined) return `--${bare}: expected a value, found none. ${more}`;
  return `${message}. ${more}`;
}

function unknownArgument(unknown: string, argv: string[], command: Command, more: string): string {
  const typed = argv.find((argument) => argument.startsWith("-") && optionName(argument).startsWith(unknown));
  if (typed === undefined) return unexpectedArgument(unknown, argv, command, more);
  const name = optionName(typed);
  const option = `${typed.startsWith("--") ? "--" : "-"}${name}`;
  const advice = adviseForeignOption(name, valueOfOption(typed, argv), command, settingOf);
  if (advice !== undefined) return `unknown option ${option}: ${advice}. ${more}`;
  const names = Object.keys(command.options ?? {}).map((known) => `--${known}`);
  return `unknown option ${option}.${didYouMean(`--${name}`, names)} ${more}`;
}

/** `epochs` of `--epochs=3`. */
function optionName(argument: string): string {
  return argument.replace(/^-+/, "").replace(/=.*$/s, "");
}

/** The value of an unknown option, `--epochs=3` or `--epochs 3`; undefined if it has none. */
function valueOfOption(typed: string, argv: string[]): string | undefined {
  if (typed.includes("=")) return typed.slice(typed.indexOf("=") + 1);
  const next = argv[argv.indexOf(typed) + 1];
  return next?.startsWith("--") ? undefined : next;
}

function unexpectedArgument(unknown: string, argv: string[], command: Command, more: string): string {
  const plain = `unexpected argument ${unknown}: expected cliprpn ${command.usage}. ${more}`;
  if (command.options?.set === undefined) return plain;
  const assignment = argv.slice(1).find(isAssignment);
  if (assignment !== undefined) return unexpectedAssignment(assignment, argv, command, more);
  const key = argv.find((argument, index) => argv[index - 1] === "--set" && !argument.includes("="));
  return key === undefined
    ? plain
    : `--set ${key}: expected key=value, as in --set ${quoteForShell(`${key.replace(/:$/, "")}=${unknown}`)}. ${more}`;
}

/** True for an argument of the form key=value, as Hydra and ultralytics take them; not for a value of an option. */
function isAssignment(argument: string, index: number, args: string[]): boolean {
  return /^[+~]{0,2}[A-Za-z_][\w.]*=/.test(argument) && !/^--?\w/.test(args[index - 1] ?? "");
}

/** `--set a=1 b=2`, or `a=1` without `--set`: each key needs one. */
function unexpectedAssignment(found: string, argv: string[], command: Command, more: string): string {
  const assignment = found.replace(/^[+~]+/, "");
  const [key = ""] = assignment.split("=");
  const value = assignment.slice(key.length + 1);
  const isKey = isTopLevel(key) || settingOf(key) !== undefined || argv.includes("--set");
  const advice = isKey ? undefined : adviseForeignOption(key, value, command, settingOf);
  if (advice !== undefined) return `unexpected argument ${found}: ${advice}. ${more}`;
  const needed = argv.includes("--set") ? "each key needs a --set of its own" : "a key needs --set";
  const set = quoteForShell(`${isTopLevel(key) ? key : (settingOf(key) ?? key)}=${value}`);
  return `unexpected argument ${found}: ${needed}: --set ${set}. ${more}`;
}

/** The setting of an experiment that a name means: `training.learning_rate` for `lr`, `training.num_epochs` for `epochs`. */
function settingOf(name: string): string | undefined {
  const foreign = settingOfForeignKey(name);
  if (foreign !== undefined) return foreign;
  const near = /Did you mean (\S+)\?/.exec(didYouMean(name, allSettingKeys))?.[1];
  return allSettingKeys.includes(name) ? name : near;
}
