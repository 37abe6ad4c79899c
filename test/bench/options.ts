import { parseArgs } from "node:util";
import { CliprpnError } from "../../src/contract/errors.ts";

/** What to measure, and where the page of results is written besides stdout. */
export interface BenchOptions {
  /** Scenes of the demo generator for training; a fifth as many are for val. */
  numScenes: number;
  /** The name of the only part to measure; undefined for all parts. */
  only: string | undefined;
  /** A file for the page. */
  out: string | undefined;
}

/**
 * The options of `npm run bench`.
 *
 * @param parts what can be measured: descriptions by name.
 * @returns the text to print if it is asked for its usage.
 * @throws CliprpnError bad_input for an option or a value that does not exist.
 */
export function readOptions(
  args: readonly string[],
  parts: Readonly<Record<string, string>>,
): BenchOptions | { usage: string } {
  const { help, scenes, only, out } = parse(args);
  if (help) return { usage: usageOf(parts) };
  if (only !== undefined && !Object.hasOwn(parts, only))
    throw new CliprpnError(
      "bad_input",
      `--only: expected one of ${Object.keys(parts).join(", ")}; found ${only}`,
    );
  if (!/^[1-9]\d*$/.test(scenes))
    throw new CliprpnError("bad_input", `--scenes: expected a positive whole number, found ${scenes}`);
  return { numScenes: Number(scenes), only, out };
}

function parse(args: readonly string[]): {
  help: boolean;
  scenes: string;
  only: string | undefined;
  out: string | undefined;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        scenes: { type: "string", default: "300" },
        only: { type: "string" },
        out: { type: "string" },
      },
    });
    return { ...values, only: values.only, out: values.out };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CliprpnError("bad_input", `${cause.message}; --help lists the options`, { cause });
  }
}

function usageOf(parts: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(parts).map((name) => name.length));
  const lines = Object.entries(parts).map(([name, what]) => `  ${name.padEnd(width)}  ${what}`);
  return `npm run bench [-- --only PART --scenes N --out FILE]

Measures cliprpn and its baselines in one run, and prints the results as markdown.

  --only PART  measure one part only
  --scenes N   scenes for training, 300 by default, and a fifth as many for val
  --out FILE   write the results to a file, too

Parts:
${lines.join("\n")}
`;
}
