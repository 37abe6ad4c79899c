import { resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { joinWords } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import { defaultRetries, type FailureClass, type Retries } from "../sweep/failure-policy.ts";
import type { Context, RunContext } from "../sweep/run-context.ts";
import { engineChoice } from "./engine-choice.ts";

export type { Context } from "../sweep/run-context.ts";

/** One argument of a command. */
export interface Option {
  describe: string;
  type: "string" | "number" | "boolean" | "array";
  default?: string | number | boolean;
  choices?: readonly string[];
  /** One letter. */
  alias?: string;
  /** Smallest value of a whole number; 1 by default. */
  minimum?: number;
  /** Largest value of a whole number. */
  maximum?: number;
}

/** A command is data; only register.ts uses yargs. */
export interface Command {
  /** With positionals: `sweep <file>`. */
  usage: string;
  describe: string;
  hidden?: boolean;
  positionals?: Record<string, Option>;
  options?: Record<string, Option>;
  examples?: [command: string, meaning: string][];
  /** Loads the handler, which returns the exit code. Only the command that runs is loaded, so that --help is fast. */
  load(): Promise<(args: Arguments, context: Context) => Promise<number>>;
}

/** The values of a command's arguments, by name; yargs has checked their types. */
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

/**
 * The options of a command that runs trials or calls Python; an option that the command lacks has its default.
 *
 * @throws CliprpnError bad_input if two options contradict each other.
 */
export function runContext(args: Arguments, context: Context): RunContext {
  if (args.flag("accept-stale") && args.flag("rerun-stale"))
    throw new CliprpnError(
      "bad_input",
      "expected --accept-stale or --rerun-stale, found both: stale trials are either kept or run again",
    );
  if (args.number("slots-per-device") !== undefined && args.text("workers") !== "auto")
    throw new CliprpnError(
      "bad_input",
      "expected --workers or --slots-per-device, found both: one is for all devices, the other for each",
    );
  const devices = listedDevices(args);
  const leaseS = args.number("lease-seconds");
  const timeoutS = args.number("trial-timeout");
  return {
    ...context,
    runsDir: resolve(context.cwd, args.text("runs-dir") ?? "runs"),
    device: devices?.[0] ?? args.text("device") ?? "auto",
    devices,
    engine: engineChoice((name) => args.text(name)),
    leaseMs: leaseS === undefined ? undefined : leaseS * 1000,
    slotsPerDevice: args.number("slots-per-device"),
    python: args.text("python"),
    numWorkers: numWorkers(args.text("workers")),
    trialTimeoutMs: timeoutS === undefined ? undefined : timeoutS * 1000,
    renewAfter: args.number("renew-after"),
    checkpointMinutes: args.number("checkpoint-minutes"),
    trustWeights: args.flag("trust-weights"),
    acceptStale: args.flag("accept-stale"),
    rerunStale: args.flag("rerun-stale"),
    retryFailed: args.flag("retry-failed") || args.list("retry-class").length > 0,
    retryClasses: retryClasses(args.list("retry-class"), "--retry-class"),
    retries: retries(args.list("retries")),
    maxFailures: args.flag("fail-fast") ? 1 : args.number("max-failures"),
    notify: args.text("notify"),
    json: args.flag("json"),
  };
}

/** The devices of --devices; undefined without it. @throws CliprpnError bad_input. */
function listedDevices(args: Arguments): string[] | undefined {
  const typed = args.text("devices");
  if (typed === undefined) return undefined;
  const devices = typed.split(",").map((each) => each.trim());
  const isList = devices.every((each) => /^(cpu|mps|cuda:\d{1,3})$/.test(each));
  if (!isList || new Set(devices).size < devices.length)
    throw new CliprpnError("bad_input", `--devices: expected a list such as cuda:0,cuda:1, found ${typed}`);
  if ((args.text("device") ?? "auto") !== "auto")
    throw new CliprpnError("bad_input", "expected --device or --devices, found both");
  return devices;
}

/** The values of --retries, as `worker_lost=3`. @throws CliprpnError bad_input. */
function retries(values: readonly string[]): Partial<Retries> {
  return Object.fromEntries(
    values.map((value) => {
      const [name, number] = value.split("=");
      if (name === undefined || !retriedClasses.includes(name) || !/^\d{1,2}$/.test(number ?? ""))
        throw new CliprpnError(
          "bad_input",
          `--retries: expected CLASS=N with a class of ${joinWords(retriedClasses, "or")} and N from 0 to 99, found ${value}`,
        );
      return [name, Number(number)];
    }),
  );
}

/** Classes of failures; undefined without any. @param option that names them. @throws CliprpnError bad_input. */
export function retryClasses(values: readonly string[], option: string): FailureClass[] | undefined {
  const unknown = values.find((value) => !isRetriedClass(value));
  if (unknown !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${option}: expected ${joinWords(retriedClasses, "or")}, found ${unknown}.${didYouMean(unknown, retriedClasses)}`,
    );
  return values.length === 0 ? undefined : values.filter(isRetriedClass);
}

const retriedClasses: readonly string[] = Object.keys(defaultRetries);

function isRetriedClass(value: string): value is keyof Retries {
  return retriedClasses.includes(value);
}

/**
 * The value of --workers, undefined for `auto`; a command without this option runs one trial at a time.
 *
 * @throws CliprpnError bad_input.
 */
function numWorkers(typed = "1"): number | undefined {
  if (typed === "auto") return undefined;
  if (!/^[1-9]\d{0,3}$/.test(typed))
    throw new CliprpnError(
      "bad_input",
      `--workers: expected auto, or a whole number, at least 1 and at most 9999, found ${typed}`,
    );
  return Number(typed);
}
