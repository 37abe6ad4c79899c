/** `npm run bench [-- --only PART --scenes N --out FILE]`: measures cliprpn and its baselines in one run, as markdown. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { CliprpnError, exitCodeOf } from "../../src/contract/errors.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { ensureExtras } from "../../src/environment/ensure-extras.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { describeMachine, page } from "./page.ts";
import { parts } from "./parts.ts";
import type { Row } from "./rows.ts";
import { makeScenes, type Scenes } from "./scenes.ts";

const terminal = makeTerminal(process);
try {
  const described = Object.entries(parts).map(([name, { what }]) => [name, what]);
  const options = readOptions(process.argv.slice(2), Object.fromEntries(described));
  if ("usage" in options) process.stdout.write(options.usage);
  else await measure(options);
} catch (error) {
  if (!(error instanceof CliprpnError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = exitCodeOf(error.code);
}

async function measure({ numScenes, only, out }: BenchOptions): Promise<void> {
  const started = performance.now();
  const environment = await ensureEnvironment({ name: "runtime", terminal });
  await ensureExtras(environment, ["yolo"], { terminal });
  const { python } = environment;
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-bench-"));
  let made: Promise<Scenes> | undefined;
  const scenes = (): Promise<Scenes> => {
    made ??= makeScenes(folder, python, numScenes);
    return made;
  };
  try {
    const rows: Row[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (only !== undefined && only !== name) continue;
      terminal.info(`measuring ${part.what}`);
      rows.push(...(await part.measure({ folder, python, terminal, scenes })));
    }
    const system = await describeMachine(python);
    const minutes = (performance.now() - started) / 60_000;
    const text = page(rows, { system, minutes, numScenes });
    process.stdout.write(text);
    if (out !== undefined) writeFileSync(out, text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
