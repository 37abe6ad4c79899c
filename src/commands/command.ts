import type { Terminal } from "../terminal/terminal.ts";

/** One argument of a command. */
export interface Option {
  describe: string;
  type: "string" | "number" | "boolean" | "array";
  default?: string | number | boolean;
  choices?: readonly string[];
  /** Of a whole number; 1 when not said. */
  minimum?: number;
}

/** Where a command runs; everything that it may touch of the world outside. */
export interface Context {
  terminal: Terminal;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** What was typed, for reports. */
  commandLine: string;
}

/** A command is data; only register.ts knows yargs. */
export interface Command {
  /** As typed, positionals included: `sweep <file>`. */
  usage: string;
  describe: string;
  hidden?: boolean;
  positionals?: Record<string, Option>;
  options?: Record<string, Option>;
  examples?: [command: string, meaning: string][];
  /** Loads the handler; only the one that runs is loaded, so that --help is quick. @returns a function that gives the exit code. */
  load(): Promise<(args: Arguments, context: Context) => Promise<number>>;
}

/** The arguments of a run, by name; yargs has checked their types. */
export class Arguments {
  readonly #values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
  }

  needed(name: string): string {
    return this.text(name) ?? "";
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    return typeof value === "number" ? value : undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  list(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
  }
}
